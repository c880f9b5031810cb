"""The attention network: from the intervals of a train to a mixture density over (g_s, g_u).

Patches of consecutive intervals become tokens of width 64; pre-norm blocks let them attend to each other; one
learned query pools them into a latent that meets the train's interval statistics; a decoder of residual
blocks feeds the heads: a mixture density for each prior (neurons made by compensation, neurons with
conductances drawn over their ranges), which of the two the train looks like, the firing pattern, and five
features of it.

After Brandoit et al. (PLOS Comput Biol 2026, doi:10.1371/journal.pcbi.1014337): attention blocks, attention
pooling and auxiliary heads are theirs; patches, interval statistics and the density are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["AttentionNetwork", "NetworkConfig", "NetworkOutput", "split_components"]


_LARGEST, _MOST_BLOCKS = 4096, 64
_MAY_BE_NONE = ("n_statistics", "latent", "n_blocks", "n_decoder_blocks", "n_told")


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network; stored with the weights.

    Attributes
    ----------
    n_channels, n_statistics : int
        Numbers per interval and per train that `tokens` makes; without statistics (0) attention stands alone.
    patch : int
        Consecutive intervals that share one token.
    most_tokens : int
        Intervals, from the middle of the train, that are looked at one by one.
    width, n_blocks, n_heads, expansion : int
        The attention blocks: token width, their number, heads, and hidden over token width.
    latent, decoder_width, n_decoder_blocks : int
        Size of the pooled latent, and the decoder's. Without a latent there is no attention: the statistics
        stand alone.
    n_components : int
        Gaussian components of each mixture over the two transformed DICs.
    n_told : int
        Numbers that may be known beside a train; see `drive.told`.
    n_priors : int
        Mixtures; see `posterior.PRIORS`.
    dropout : float
        Probability, in the blocks and in the decoder, during training only.
    """

    n_channels: int = 4
    n_statistics: int = 110
    patch: int = 8
    most_tokens: int = 64
    width: int = 64
    n_blocks: int = 2
    n_heads: int = 2
    expansion: int = 2
    latent: int = 64
    decoder_width: int = 256
    n_decoder_blocks: int = 3
    n_components: int = 16
    n_priors: int = 2
    n_patterns: int = 2
    n_features: int = 5
    n_told: int = 0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self.as_dict().items():
            least = 0 if name in _MAY_BE_NONE else 1
            most = _MOST_BLOCKS if name.endswith("blocks") else _LARGEST
            if name != "dropout" and not (type(value) is int and least <= value <= most):
                raise ValueError(f"{name} is {value!r}; it must be a whole number from {least} to {most}")
        if self.width % self.n_heads:
            raise ValueError(f"a width of {self.width} cannot be parted among {self.n_heads} heads")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout!r}; it must be a share below 1")

    @property
    def least_weights(self) -> int:
        """How many weights the large matrices of such a network have, which is told before they are made."""
        block = (4 + 2 * self.expansion) * self.width**2
        residual = 4 * self.decoder_width**2
        density = 6 * self.n_components * self.n_priors * self.decoder_width
        attention = self.n_blocks * block + self.patch * self.n_channels * self.width if self.latent else 0
        return attention + self.n_decoder_blocks * residual + density

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkConfig:
        """Rebuild from `as_dict`; an unknown or missing entry is a ``ValueError``."""
        values = {"n_told": 0} | values  # earlier networks are told nothing
        known = {f.name for f in fields(cls)}
        if set(values) != known:
            raise ValueError(f"network sizes differ: {sorted(set(values) ^ known)}")
        return cls(**values)


class NetworkOutput(NamedTuple):
    """What one pass gives for each of n trains; P priors, K components, coordinates as in `mixture.Box`."""

    log_weights: Tensor
    """(n, P, K), normalised over K."""
    means: Tensor
    """(n, P, K, 2)."""
    scales: Tensor
    """(n, P, K, 3): a, b and r of each component, as in `mixture`."""
    prior_logits: Tensor
    """(n, P): which prior the train looks like, in the proportions of training."""
    pattern_logits: Tensor
    """(n, 2): spiking, bursting."""
    features: Tensor
    """(n, 5): standardised logs."""


class AttentionBlock(nn.Module):
    """Pre-norm self-attention and a two-layer perceptron, each added to its input."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.width
        self.n_heads = config.n_heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.expand = nn.Linear(width, config.expansion * width)
        self.contract = nn.Linear(config.expansion * width, width)
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        n, length, width = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(n, length, 3, self.n_heads, width // self.n_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.dropout(self.project(attended.transpose(1, 2).reshape(n, length, width)))
        hidden = F.gelu(self.expand(self.norm_mlp(x)), approximate="tanh")
        return x + self.dropout(self.contract(hidden))


class AttentionPool(nn.Module):
    """One learned query per head gathers the tokens into a latent vector."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.score = nn.Linear(config.width, config.n_heads)
        self.value = nn.Linear(config.width, config.width)
        self.project = nn.Linear(config.width, config.latent)
        self.n_heads = config.n_heads

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        n, length, width = x.shape
        x = self.norm(x)
        score = self.score(x)
        if mask is not None:
            score = score + mask.view(n, length, 1)
        weight = score.softmax(dim=1)
        value = self.value(x).view(n, length, self.n_heads, width // self.n_heads)
        pooled = (weight.unsqueeze(-1) * value).sum(dim=1)
        latent: Tensor = self.project(pooled.reshape(n, width))
        return latent


class ResidualBlock(nn.Module):
    """Pre-norm perceptron added to its input."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.contract = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.gelu(self.expand(self.norm(x)), approximate="tanh")
        out: Tensor = x + self.dropout(self.contract(hidden))
        return out


_NARROW = 16


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return F.linear(x, weight, bias)


def _narrow(x: Tensor, weight: Tensor, bias: Tensor | None, size: int) -> Tensor:
    return F.linear(x, weight, bias)[..., :size]


def _normed(x: Tensor, shape: tuple[int, ...], weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return torch.layer_norm(x, shape, weight, bias, eps)


def _plain(layer: nn.Linear | nn.LayerNorm) -> Callable[[Tensor], Tensor]:
    """The function of a layer with the weights that it has now."""
    weight, bias = layer.weight, layer.bias
    if isinstance(layer, nn.LayerNorm):
        return partial(_normed, shape=layer.normalized_shape, weight=weight, bias=bias, eps=layer.eps)
    missing = _NARROW - layer.out_features
    if missing <= 0:
        return partial(_linear, weight=weight, bias=bias)
    # Of so few outputs, products are summed in another order in every other row; of more they are not.
    wider = None if bias is None else F.pad(bias, (0, missing))
    return partial(_narrow, weight=F.pad(weight, (0, 0, 0, missing)), bias=wider, size=layer.out_features)


class AttentionNetwork(nn.Module):
    """Intervals and statistics of trains in, `NetworkOutput` out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        if config.latent:
            self.embed = nn.Linear(config.patch * config.n_channels, config.width)
            self.blocks = nn.ModuleList(AttentionBlock(config) for _ in range(config.n_blocks))
            self.pool = AttentionPool(config)
        self.join = nn.Linear(config.latent + config.n_statistics + 2 * config.n_told, config.decoder_width)
        self.decoder = nn.ModuleList(
            ResidualBlock(config.decoder_width, config.dropout) for _ in range(config.n_decoder_blocks)
        )
        self.norm = nn.LayerNorm(config.decoder_width)
        self.density = nn.Linear(config.decoder_width, 6 * config.n_components * config.n_priors)
        self.prior = nn.Linear(config.decoder_width, config.n_priors)
        self.pattern = nn.Linear(config.decoder_width, config.n_patterns)
        self.feature = nn.Linear(config.decoder_width, config.n_features)
        self.feature_shortcut = nn.Linear(config.n_statistics, config.n_features, bias=False)
        self._positions: Tensor | None = None
        self._fused: tuple[Tensor, Tensor] | None = None
        self._start()

    def _start(self) -> None:
        """Begin with components spread over the box, so that none is idle from the first step."""
        k = self.config.n_components
        with torch.no_grad():
            self.density.weight.mul_(0.1)
            bias = torch.zeros(self.config.n_priors, k, 6)
            angle = torch.arange(k) * (2 * math.pi / k)
            bias[..., 1] = 1.5 * torch.cos(angle)
            bias[..., 2] = 1.5 * torch.sin(angle)
            self.density.bias.copy_(bias.reshape(-1))
            self.feature_shortcut.weight.zero_()

    def fuse(self) -> AttentionNetwork:
        """Compute all heads in one step, and call layers as plain functions, from now on.

        For a network that learns no more and stays on its device: half of the time of a single recording goes
        into calls of modules.
        """
        heads = (self.density, self.prior, self.pattern, self.feature)
        weight, bias = (
            torch.cat([getattr(head, name) for head in heads]).detach() for name in ("weight", "bias")
        )
        self._fused = weight, bias
        for module in self.modules():
            for name, layer in module.named_children():
                if isinstance(layer, nn.Linear | nn.LayerNorm):
                    # What stands in the instance is found before its modules, which keep the weights.
                    module.__dict__[name] = _plain(layer)
        return self

    def _heads(self, x: Tensor) -> tuple[Tensor, ...]:
        if self._fused is None:
            return self.density(x), self.prior(x), self.pattern(x), self.feature(x)
        config = self.config
        sizes = [
            6 * config.n_components * config.n_priors,
            config.n_priors,
            config.n_patterns,
            config.n_features,
        ]
        return F.linear(x, *self._fused).split(sizes, dim=-1)

    def positions(self, length: int, like: Tensor) -> Tensor:
        """Sinusoidal positions (length, width), kept between calls."""
        kept = self._positions
        if kept is None or kept.shape[0] < length or kept.device != like.device:
            width = self.config.width
            index = torch.arange(max(length, 256), device=like.device, dtype=torch.float32)[:, None]
            pair = torch.arange(0, width, 2, device=like.device, dtype=torch.float32)
            angle = index * torch.exp(-math.log(10000.0) * pair / width)
            kept = torch.stack([angle.sin(), angle.cos()], dim=-1).reshape(-1, width)
            self._positions = kept
        return kept[:length]

    def encode(self, tokens: Tensor, lengths: Tensor | None) -> Tensor:
        """Latent (n, latent) of trains (n, L, C); ``lengths`` (n,) in intervals, None if none is padded."""
        n, length, channels = tokens.shape
        patch = self.config.patch
        n_tokens = length // patch
        x = self.embed(tokens.reshape(n, n_tokens, patch * channels))
        x = x + self.positions(n_tokens, x)
        bias = None
        mask = None
        if lengths is not None:
            padded = torch.arange(n_tokens, device=x.device) * patch >= lengths[:, None]
            bias = torch.zeros(padded.shape, dtype=x.dtype, device=x.device).masked_fill_(padded, -1e9)
            mask = bias[:, None, None, :]
        for block in self.blocks:
            x = block(x, mask)
        latent: Tensor = self.pool(x, bias)
        return latent

    def forward(
        self, tokens: Tensor, lengths: Tensor | None, statistics: Tensor, told: Tensor | None = None
    ) -> NetworkOutput:
        """Predict for n trains.

        Parameters
        ----------
        tokens : Tensor, shape (n, L, n_channels)
            Standardised, zero where padded; L a multiple of ``config.patch``.
        lengths : Tensor of int64, shape (n,), or None
            Intervals of each train; None if no train is padded by a whole token.
        statistics : Tensor, shape (n, n_statistics)
            Standardised.
        told : Tensor, shape (n, 2 n_told), optional
            What is known beside the train, as `drive.told` writes it; needed if ``config.n_told`` is not 0.
        """
        config = self.config
        if not config.n_statistics:
            statistics = statistics[:, :0]
        known = [statistics]
        if config.latent:
            known.insert(0, self.encode(tokens, lengths).float())
        if config.n_told and told is not None:
            known.append(told)
        x = self.join(torch.cat(known, dim=-1) if len(known) > 1 else statistics)
        for block in self.decoder:
            x = block(x)
        x = self.norm(x)
        density, prior, pattern, feature = self._heads(x)
        raw = density.float().reshape(x.shape[0], config.n_priors, config.n_components, 6)
        diagonal = raw[..., 3:5].clamp(-3.0, 6.0)
        return NetworkOutput(
            log_weights=raw[..., 0].log_softmax(dim=-1),
            means=raw[..., 1:3],
            scales=torch.cat([diagonal, raw[..., 5:6]], dim=-1),
            prior_logits=prior.float(),
            pattern_logits=pattern.float(),
            features=feature.float() + self.feature_shortcut(statistics),
        )


_APART = 0.2


def split_components(network: AttentionNetwork, n_components: int, seed: int) -> AttentionNetwork:
    """The same network with each component of its mixtures split into several, to learn on from.

    They begin all but alike, with a random difference in their weights and centres that lets training draw
    them apart; the density as a whole changes little.

    Raises
    ------
    ValueError
        If ``n_components`` is no multiple of the components that there are.
    """
    config = network.config
    times, rest = divmod(n_components, config.n_components)
    if rest or not times:
        raise ValueError(f"{config.n_components} components cannot be split into {n_components}")
    if times == 1:
        return network
    state = {name: value.detach().clone() for name, value in network.state_dict().items()}
    shape = config.n_priors, config.n_components, 6
    weight = state["density.weight"].view(*shape, config.decoder_width).repeat_interleave(times, dim=1)
    bias = state["density.bias"].view(shape).repeat_interleave(times, dim=1)
    random = torch.Generator().manual_seed(seed)
    weight += _APART * weight.std() * torch.randn(weight.shape, generator=random)
    bias[..., 1:3] += _APART * torch.randn(bias[..., 1:3].shape, generator=random)
    state["density.weight"] = weight.flatten(0, 2)
    state["density.bias"] = bias.flatten()
    made = AttentionNetwork(replace(config, n_components=n_components))
    made.load_state_dict(state)
    return made
