"""Reading and writing network weights: safetensors, with everything needed to use them in the header.

A file holds either a whole network or the adapters that turn a named base network into another one. Nothing
in it is executed: safetensors is tensors and text, and both are checked before use. Each file says its format
and the checksum of what it holds; formats from `OLDEST` on are read.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from spike2pop_nb import __version__
from spike2pop_nb.errors import PredictorError, Spike2PopError
from spike2pop_nb.files import make_folder, write_whole
from spike2pop_nb.inference.domain import Domain
from spike2pop_nb.inference.drive import N_TOLD
from spike2pop_nb.inference.lora import merged_state
from spike2pop_nb.inference.mixture import Box
from spike2pop_nb.inference.network import AttentionNetwork, NetworkConfig
from spike2pop_nb.inference.posterior import FEATURES, Network
from spike2pop_nb.inference.published import published_files, sha256_of
from spike2pop_nb.inference.tokens import CHANNELS, N_STATISTICS, TokenScale
from spike2pop_nb.inference.weight_files import own_weights_folder

__all__ = [
    "WEIGHTS_FOLDER",
    "FeatureScale",
    "LoadedNetwork",
    "fingerprint",
    "install_weights",
    "load_network",
    "own_base",
    "read_tensors",
    "save_weights",
    "write_tensors",
]

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
FORMAT = 2
"""Of files that are written."""
OLDEST = 2
"""Format of the oldest files that are read."""
MAX_BYTES = 256 * 2**20
_KEY, _CHECKSUM = "spike2pop_nb", "sha256"


@dataclass(frozen=True, eq=False)
class FeatureScale:
    """Mean and standard deviation (5,) of the log features, which the network predicts standardised."""

    mean: np.ndarray
    std: np.ndarray


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network ready to predict, and the numbers and history that belong to it."""

    neuron: str
    network: AttentionNetwork
    scale: TokenScale
    feature_scale: FeatureScale
    box: Box
    max_intervals: int
    domain: Domain | None
    metadata: dict[str, Any]
    origin: Network


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of the names and values of tensors: adapters name their base by it."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def save_weights(
    path: str | Path,
    state: Mapping[str, Tensor],
    scale: TokenScale,
    feature_scale: FeatureScale,
    metadata: Mapping[str, Any],
    domain: Domain | None = None,
) -> Path:
    """Write one weights file, whole or not at all.

    Parameters
    ----------
    state : mapping of Tensor
        Of the whole network, or its adapters alone (then ``metadata["base"]`` names the base).
    metadata : mapping
        ``neuron``, ``config`` (`NetworkConfig.as_dict`), ``dic_range``, ``max_intervals``, ``base`` (None or
        ``{"neuron", "fingerprint"}``), and whatever describes data, training, versions and scores.
    domain : Domain, optional
        The test for strange recordings.
    """
    path = Path(path)
    tensors = {f"network.{name}": value.detach().float().cpu().contiguous() for name, value in state.items()}
    tensors |= {name: torch.from_numpy(values.astype(np.float32)) for name, values in scale.arrays().items()}
    tensors["feature.mean"] = torch.from_numpy(np.float32(feature_scale.mean))
    tensors["feature.std"] = torch.from_numpy(np.float32(feature_scale.std))
    if domain is not None:
        tensors |= {
            f"domain.{name}": torch.from_numpy(np.ascontiguousarray(getattr(domain, name), np.float32))
            for name in Domain.names()
        }
    return write_tensors(path, tensors, metadata)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> Path:
    """Write tensors and what is said of them, with a checksum of both, whole or not at all.

    Raises
    ------
    Spike2PopError
        If the file cannot be written.
    """
    told = json.loads(json.dumps({**metadata, "format": FORMAT, "written_by": __version__}))
    told[_CHECKSUM] = _checksum(tensors, told)
    content = save(dict(tensors), metadata={_KEY: json.dumps(told)})
    write_whole(path, content)
    return path


def keep_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write what can be learned again; where that is not possible, it is learned again next time."""
    with suppress(Spike2PopError):
        write_tensors(make_folder(path.parent) / path.name, tensors, metadata)


def _checksum(tensors: Mapping[str, Tensor], told: Mapping[str, Any]) -> str:
    """SHA-256 of names, kinds, shapes and values of tensors, and of what is said of them."""
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what a file of weights holds, and what its header says of it.

    Raises
    ------
    PredictorError
        If the file is missing, too large, damaged, foreign, or of another format.
    """
    if not path.is_file():
        raise PredictorError(f"No network weights at {path}.")
    if path.stat().st_size > MAX_BYTES:
        raise PredictorError(
            f"{path.name} is over {MAX_BYTES // 2**20} MB, more than any network of this package."
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise PredictorError(f"{path.name} is damaged or not a safetensors file ({error}).") from None
    try:
        metadata = json.loads(header[_KEY])
        number = int(metadata["format"])
    except (KeyError, TypeError, ValueError):
        raise PredictorError(f"{path.name} holds tensors, but no network of this package.") from None
    if number > FORMAT:
        writer = f"spike2pop_nb {metadata['written_by']}" if "written_by" in metadata else "a newer version"
        raise PredictorError(
            f"{path.name} was written by {writer} in format {number}, and this version reads up to {FORMAT}; "
            "update spike2pop_nb."
        )
    if number < OLDEST:
        raise PredictorError(
            f"{path.name} is of format {number}, which is no longer read; make it again with this version, "
            "or read it with the one that wrote it."
        )
    _check(path, tensors, metadata)
    return tensors, metadata


def _check(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, Any]) -> None:
    """Compare a file with its checksum, which is taken out of what is said of it, or the one published."""
    said = metadata.pop(_CHECKSUM, None)
    if said is not None:
        if said != _checksum(tensors, metadata):
            raise PredictorError(f"{path.name} is damaged: it has not the checksum that was written with it.")
    elif (digest := published_files().get(path)) is not None and digest != sha256_of(path):
        raise PredictorError(
            f"{path.name} is damaged: it has not the checksum that was published; install spike2pop_nb again."
        )


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    # 32 bits: what is computed must not depend on how weights are stored
    return {
        name.removeprefix(prefix): value.float() for name, value in tensors.items() if name.startswith(prefix)
    }


def load_network(
    path: str | Path, base_folder: Path | None = None, neuron: str | None = None, *, part: str = ""
) -> LoadedNetwork:
    """Read a weights file; adapters are merged into their base, ``<base>.safetensors``.

    Parameters
    ----------
    base_folder : Path, optional
        Where the base of adapters is looked for: first beside ``path`` (as ``<name>.base.safetensors``, or
        under the base's own name), then here, then among the shipped ones.
    neuron : str, optional
        The neuron the weights must be for.
    part : str, optional
        Of a file that holds several networks, the one under this name; see `atlas`.

    Raises
    ------
    PredictorError
        If the file is missing, damaged, foreign, for another neuron, or its base is not the one it was made
        for.
    """
    path = Path(path)
    tensors, metadata = read_tensors(path)
    try:
        if part:
            tensors, metadata = _part(tensors, f"{part}."), metadata[part]
        name = str(metadata["neuron"])
        if neuron is not None and name != neuron:
            raise PredictorError(f"{path.name} is a network for neuron {name!r}, not {neuron!r}.")
        state = _part(tensors, "network.")
        base = metadata.get("base")
        if base is not None:
            state = merged_state(_base_state(path, base_folder, base), state)
        config = NetworkConfig.from_dict(metadata["config"])
        if config.n_channels != len(CHANNELS) or config.n_statistics not in (0, N_STATISTICS):
            raise ValueError("it was trained on other interval statistics")
        if config.n_told not in (0, N_TOLD):
            raise ValueError("it is told of other things than current and noise")
        scale = TokenScale.from_arrays(tensors)
        feature_scale = FeatureScale(*(_of_features(tensors[f"feature.{what}"]) for what in ("mean", "std")))
        domain = _domain(_part(tensors, "domain."))
        box = Box.from_ranges(metadata["dic_range"])
        if not (np.isfinite([box.low, box.high]).all() and (box.low < box.high).all()):
            raise ValueError("its ranges of DICs are none")
        max_intervals = int(metadata["max_intervals"])
        if max_intervals < 1:
            raise ValueError(f"it looks at {max_intervals} intervals")
        _check_trains(metadata.get("data", {}))
        if config.least_weights > sum(value.numel() for value in state.values()):
            raise ValueError("it holds fewer weights than a network of its sizes has")
        # Building draws random weights, soon overwritten; the caller's random state is put back.
        with torch.random.fork_rng(devices=[]):
            network = AttentionNetwork(config)
        # Copied, not assigned: tensors read from a file lie anywhere in memory, and kernels may choose by it.
        network.load_state_dict(state, strict=True)
        origin = _origin(path, metadata)
    except PredictorError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise PredictorError(f"{path.name} does not fit this version's network: {first}") from None
    if not all(np.isfinite(value.numpy()).all() for value in state.values()):  # waits for no threads
        raise PredictorError(f"{path.name} is damaged: it holds weights that are not finite numbers.")
    network.requires_grad_(False).eval()
    return LoadedNetwork(name, network, scale, feature_scale, box, max_intervals, domain, metadata, origin)


def _check_trains(said: dict[str, Any]) -> None:
    """Refuse numbers about training trains that are none; `Predictor` takes these."""
    if not 0 <= said.get("share_drawn", 0.0) <= 1 or not said.get("longest_s", np.inf) > 0:
        raise ValueError("what it says of the trains it was trained on is no number")


def _of_features(value: Tensor) -> np.ndarray:
    values = value.numpy()
    if values.shape != (len(FEATURES),) or values.dtype.kind != "f" or not np.isfinite(values).all():
        raise ValueError(f"it has {values.size} numbers for {len(FEATURES)} features, or some are none")
    return values.astype(np.float32)


def _origin(path: Path, metadata: Mapping[str, Any]) -> Network:
    trains = (metadata.get("data") or {}).get("trains")
    return Network(
        path.name,
        sha256_of(path),
        None if trains is None else int(trains),
        tuple((name, str(row.get("sha256", ""))) for name, row in (metadata.get("recipes") or {}).items()),
        str((metadata.get("base") or {}).get("neuron", "")),
    )


def _domain(tensors: Mapping[str, Tensor]) -> Domain | None:
    if not tensors:
        return None
    arrays = {key: value.numpy() for key, value in tensors.items()}
    if "span_edges_ms" not in arrays:
        # Earlier weights know bands of the number of intervals alone.
        arrays |= {"span_edges_ms": np.zeros(0, np.float32), "quantiles": arrays["quantiles"][None]}
    return Domain(**{key: arrays[key] for key in Domain.names()})


def install_weights(path: str | Path, neuron: str) -> Path:
    """Copy checked weights to where `load_predictor` finds them by the neuron's name; return where.

    Raises
    ------
    PredictorError
        If they are damaged, or for another neuron.
    """
    load_network(path, neuron=neuron)
    folder = own_weights_folder()
    target = folder / f"{neuron}.safetensors"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source, place in ((own_base(Path(path)), own_base(target)), (Path(path), target)):
            if source.is_file():
                part = place.with_name(place.name + ".part")
                shutil.copyfile(source, part)
                part.replace(place)
    except OSError as error:
        raise PredictorError(f"{target} cannot be written: {error.strerror or error}.") from None
    return target


def own_base(path: Path) -> Path:
    """Where adapters keep a copy of a base network that is not shipped."""
    return path.with_suffix(".base.safetensors")


def _base_state(path: Path, base_folder: Path | None, base: Mapping[str, str]) -> dict[str, Tensor]:
    folders = [path.parent, *([base_folder] if base_folder else []), WEIGHTS_FOLDER]
    places = [own_base(path), *(folder / f"{base['neuron']}.safetensors" for folder in folders)]
    found = None
    for candidate in places:
        if candidate.is_file() and candidate != path:
            found = candidate
            state = _part(read_tensors(candidate)[0], "network.")
            if fingerprint(state) == base["fingerprint"]:
                return state
    if found is None:
        raise PredictorError(f"{path.name} adapts the {base['neuron']!r} network, whose weights are missing.")
    raise PredictorError(
        f"{path.name} was trained on other {base['neuron']!r} weights than those in {found}."
    )
