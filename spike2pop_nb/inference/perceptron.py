"""Small perceptrons on interval statistics: how they learn, what they say, and how they are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor, nn

from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.inference.threads import one_thread
from spike2pop_nb.inference.tokens import MAX_INTERVALS, MIN_SPIKES, TokenScale
from spike2pop_nb.inference.weights import keep_tensors

__all__ = [
    "Layers",
    "best_temperature",
    "fitted",
    "from_tensors",
    "keep",
    "outputs",
    "pieces",
    "softmax",
]

Floats = NDArray[np.floating[Any]]
Layers = tuple[tuple[Floats, Floats], ...]
"""Weights and biases."""
_RATE = 2e-3
_OFTEN = 50  # steps between words
_TEMPERATURES = np.geomspace(0.5, 4.0, 61)
_A_BIT = 1e-9


def pieces(times_ms: Floats) -> list[Floats]:
    """Cut a train into equal pieces no longer than those that perceptrons learn from; none too short."""
    n = max(1, math.ceil((times_ms[-1] - times_ms[0]) / WINDOW_MS - _A_BIT))
    borders = np.searchsorted(times_ms, np.linspace(times_ms[0], times_ms[-1], n + 1)[1:-1])
    return [part[: MAX_INTERVALS + 1] for part in np.split(times_ms, borders) if len(part) >= MIN_SPIKES]


def outputs(layers: Layers, x: Floats) -> Floats:
    """Return what a perceptron says of inputs, (n, n_in): (n, n_out)."""
    h = x.astype(np.float64)
    for weight, bias in layers[:-1]:
        h = np.tanh(h @ weight.T + bias)
    weight, bias = layers[-1]
    return np.asarray(h @ weight.T + bias)


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Return probabilities along the last axis."""
    scaled = logits / temperature
    e = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def best_temperature(logits: Floats, label: NDArray[np.int64]) -> float:
    """Return the temperature at which the truth, (n,), is most probable."""
    truth = np.arange(len(label)), label
    loss = [-np.log(softmax(logits, t)[truth] + 1e-12).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(loss))])


def fitted(
    loss: Callable[[Callable[[Tensor], Tensor]], Tensor],
    sizes: Sequence[int],
    *,
    steps: int,
    decay: float,
    dropout: float,
    seed: int,
    say: Callable[[int], None],
    dtype: torch.dtype = torch.float32,
) -> Layers:
    """Learn a perceptron.

    Parameters
    ----------
    loss
        Draws a batch, and returns what is wrong with what the network, which it is given, says of it.
    sizes
        Of the inputs, each hidden layer, and the outputs.
    steps, decay, dropout, seed
        Of learning.
    say
        Called with the steps that are done; may raise to stop.
    dtype
        As which the weights will be kept: they are rounded to it, so that they say the same when read again.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        linear = [nn.Linear(*ends) for ends in pairwise(sizes)]
        drop = nn.Dropout(dropout)
        learned = [p for layer in linear for p in layer.parameters()]
        optimizer = torch.optim.AdamW(learned, lr=_RATE, weight_decay=decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)

        def network(x: Tensor) -> Tensor:
            for layer in linear[:-1]:
                x = drop(torch.tanh(layer(x)))
            last: Tensor = linear[-1](x)
            return last

        for step in range(steps):
            if step % _OFTEN == 0:
                say(step)
            wrong = loss(network)
            optimizer.zero_grad(set_to_none=True)
            wrong.backward()
            optimizer.step()
            schedule.step()

    def kept(parameter: Tensor) -> Floats:
        return np.asarray(parameter.detach().to(dtype).double().numpy())

    return tuple((kept(layer.weight), kept(layer.bias)) for layer in linear)


def keep(
    path: Path,
    layers: Layers,
    scale: TokenScale,
    about: Mapping[str, Any],
    *,
    dtype: DTypeLike = np.float32,
    beside: Mapping[str, Floats] | None = None,
) -> None:
    """Write a perceptron; where that is not possible, it is learned again next time.

    Parameters
    ----------
    path, layers, scale, about
        Where; the perceptron; what standardises its inputs; what else to know.
    dtype
        Of the layers.
    beside
        Other arrays, by name, as they are.
    """
    arrays = {
        f"layer.{k}.{part}": np.asarray(value, dtype)
        for k, layer in enumerate(layers)
        for part, value in zip(("weight", "bias"), layer, strict=True)
    }
    arrays |= scale.arrays() | dict(beside or {})
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    keep_tensors(path, tensors, about)


def from_tensors(tensors: Mapping[str, Tensor]) -> tuple[Layers, TokenScale]:
    """Return the layers and the scale of a perceptron that was kept.

    Raises
    ------
    KeyError
        If one is missing.
    """
    n_layers = sum(name.startswith("layer.") for name in tensors) // 2
    layers = tuple(
        (tensors[f"layer.{k}.weight"].double().numpy(), tensors[f"layer.{k}.bias"].double().numpy())
        for k in range(n_layers)
    )
    return layers, TokenScale.from_arrays(tensors)
