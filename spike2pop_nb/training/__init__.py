"""Make data, train networks, evaluate them."""
