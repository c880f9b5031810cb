"""Low-rank adapters (Hu et al. 2021, arXiv:2106.09685): one neuron's network from another's frozen one.

Each adapted linear layer computes with W + up @ down / rank * alpha, where W is frozen and only ``down``
(rank, in) and ``up`` (out, rank) are learned. The last layers, the norms, and the layer that takes in the
interval statistics are learned whole: they are small, and their inputs and targets are on other scales for
another neuron.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spike2pop_nb.inference.network import AttentionNetwork

__all__ = ["LoRALinear", "adapter_state", "apply_lora", "merged_state"]

ALPHA_OVER_RANK = 1.0
_WHOLE = ("join", "density", "prior", "pattern", "feature", "feature_shortcut", "pool.score")


class LoRALinear(nn.Module):
    """A frozen linear layer plus a learned low-rank one; the two are summed before they meet the input."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(layer.weight.detach().clone(), requires_grad=False)
        self.bias = nn.Parameter(layer.bias.detach().clone(), requires_grad=False)
        self.down = nn.Parameter(torch.empty(rank, layer.in_features))
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        # The weights are far smaller than a batch of activations: adding first costs almost nothing.
        return F.linear(x, self.weight + ALPHA_OVER_RANK * (self.up @ self.down), self.bias)


def apply_lora(network: AttentionNetwork, rank: int) -> AttentionNetwork:
    """Freeze ``network`` in place, save for new adapters of ``rank`` and the layers learned whole."""
    for name, parameter in network.named_parameters():
        whole = name.rsplit(".", 1)[0] in _WHOLE or "norm" in name
        parameter.requires_grad_(whole)
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.Linear) and name not in _WHOLE:
            parent_name, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent_name), child, LoRALinear(module, rank))
    return network


def adapter_state(network: nn.Module) -> dict[str, Tensor]:
    """The learned tensors of an adapted network: all that must be stored beside the frozen one."""
    return {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}


def merged_state(base: Mapping[str, Tensor], adapters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State of a plain network in which the adapters are already added to the weights of ``base``.

    Raises
    ------
    KeyError, RuntimeError
        If the adapters were not made for a network of this shape.
    """
    state = dict(base)
    for name, tensor in adapters.items():
        layer, _, kind = name.rpartition(".")
        if kind == "down":
            state[f"{layer}.weight"] = state[f"{layer}.weight"] + ALPHA_OVER_RANK * (
                adapters[f"{layer}.up"] @ tensor
            )
        elif kind != "up":
            if state[name].shape != tensor.shape:
                raise RuntimeError(f"{name} is {tuple(tensor.shape)}, not {tuple(state[name].shape)}")
            state[name] = tensor
    return state
