"""The loop of a training run: steps, validation, checkpoints, and the weights it leaves."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from spike2pop_nb import __version__
from spike2pop_nb.errors import Cancelled
from spike2pop_nb.inference.domain import Domain
from spike2pop_nb.inference.drive import told
from spike2pop_nb.inference.lora import adapter_state, apply_lora
from spike2pop_nb.inference.mixture import Box, moments
from spike2pop_nb.inference.network import AttentionNetwork, NetworkOutput, split_components
from spike2pop_nb.inference.tokens import TokenScale, make_batch
from spike2pop_nb.inference.weights import FeatureScale, fingerprint, load_network, save_weights
from spike2pop_nb.training.batches import Batch, Trains, epoch_batches, log_of_features, ordered_batches
from spike2pop_nb.training.checkpoint import History, restore, store
from spike2pop_nb.training.losses import LossParts, losses
from spike2pop_nb.training.options import TrainingOptions

__all__ = ["Run", "RunData"]

_TOLD = 0.5  # share of trains whose current is told, and of these whose noise is
_OF_TOLD = 5  # what tells its random numbers from others


class RunData(NamedTuple):
    """Both sides of the split, and the numbers that scale inputs and outputs."""

    train: Trains
    validation: Trains
    scale: TokenScale
    feature_scale: FeatureScale
    box: Box
    domain: Domain
    recipes: dict[str, Any]


def _told(trains: Trains, batch: Batch, seed: tuple[int, ...]) -> np.ndarray:
    """Current and noise of a batch: of half of the trains, and the noise of half of these.

    That there is no current is always told where there is no noise either. Such neurons are learned from
    more often than atlases draw them, and answers where nothing is known are those of the draws.
    """
    drive = np.column_stack([trains.current[batch.rows], trains.sigma[batch.rows]])
    known = np.random.default_rng(seed).random(drive.shape) < _TOLD
    known[:, 0] |= ~drive.any(axis=1)
    return told(*np.where(known, drive, np.nan).T)


class Run:
    """One training run: network, optimiser, and where it stands."""

    def __init__(
        self,
        data: RunData,
        out: Path,
        neuron: str,
        base: str | Path | None,
        options: TrainingOptions,
        seed: int,
        device: torch.device,
        resume: bool,
    ) -> None:
        self.data, self.out, self.neuron, self.options, self.seed = data, out, neuron, options, seed
        self.length: dict[str, float | None] = {}
        self.device = device
        self.start: dict[str, Any] | None = None
        self.base: dict[str, str] | None = None
        torch.manual_seed(seed)
        network = AttentionNetwork(options.network)
        if base is not None:
            loaded = load_network(base)
            network = loaded.network
            named = {"neuron": loaded.neuron, "fingerprint": fingerprint(network.state_dict())}
            if options.lora_rank:
                self.base = named
                network = apply_lora(network, options.lora_rank)
            else:
                network = split_components(network, options.network.n_components, seed)
                network.requires_grad_(True)
                kept = ("config", "training", "recipes", "base")
                self.start = named | {key: loaded.metadata.get(key) for key in kept}
        self.config = network.config
        self.network = network.to(device).train()
        self.learned = [p for p in network.parameters() if p.requires_grad]
        self.ema = [p.detach().clone() for p in self.learned]
        decayed = [p for p in self.learned if p.ndim > 1]
        plain = [p for p in self.learned if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": options.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=options.learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        bursting = float((data.train.pattern == 2).mean())
        # Half-way (in logs) between counting trains and counting patterns.
        weight = np.sqrt(0.5 / np.clip([1 - bursting, bursting], 0.02, 1))
        self.pattern_weight = torch.tensor(weight, dtype=torch.float32, device=device)
        self.epoch, self.batch, self.step, self.seconds, self.best = 0, 0, 0, 0.0, math.inf
        self.setup = {
            "neuron": neuron,
            "network": self.config.as_dict(),
            "base": self.base,
            **({"start": self.start["fingerprint"]} if self.start else {}),
            "seed": seed,
            "batch_size": options.batch_size,
            "n_trains": len(data.train),
        }
        self.checkpoint = out / "checkpoint.pt"
        if resume:
            self._restore()
        self.history = History(out / "history.csv", self.epoch)

    def _restore(self) -> None:
        state = restore(self.checkpoint, self.setup)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.ema = [t.to(self.device) for t in state["ema"]]
        self.epoch, self.batch, self.step = state["epoch"], state["batch"], state["step"]
        self.seconds, self.best = state["seconds"], state["best"]

    def _store(self) -> None:
        store(
            self.checkpoint,
            {
                "setup": self.setup,
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "ema": self.ema,
                **{key: getattr(self, key) for key in ("epoch", "batch", "step", "seconds", "best")},
            },
        )

    def go(
        self,
        epochs: int | None,
        max_minutes: float | None,
        checkpoint_minutes: float,
        progress: Callable[[int, int], None] | None,
        report: Callable[[dict[str, Any]], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> Path:
        self.length = {"asked_epochs": epochs, "asked_minutes": max_minutes}
        per_epoch = -(-len(self.data.train) // self.options.batch_size)
        weights = self.out / f"{self.neuron}.safetensors"
        saved = time.monotonic()
        over = False
        while not over and (epochs is None or self.epoch < epochs):
            sums = np.zeros(len(LossParts._fields))
            n_batches = 0
            seed = (self.seed, self.epoch)
            how, longest = self.options.augmentation, self.options.longest
            for batch in epoch_batches(
                self.data.train, self.options.batch_size, how, seed, longest, start=self.batch
            ):
                began = time.monotonic()
                if epochs is not None:
                    done = self.step / (epochs * per_epoch)
                else:
                    done = self.seconds / (60 * max(max_minutes or 0, 1e-9))
                if done >= 1:
                    over = True
                    break
                sums += self._learn(batch, done)
                n_batches += 1
                self.batch += 1
                self.step += 1
                self.seconds += time.monotonic() - began
                if progress is not None:
                    progress(self.step, max(self.step, round(self.step / max(done, 1e-6))))
                if cancel is not None and cancel():
                    self._store()
                    raise Cancelled(f"Training stopped after {self.step} steps; the checkpoint is kept.")
                if time.monotonic() - saved > 60 * checkpoint_minutes:
                    self._store()
                    saved = time.monotonic()
            if over and n_batches == 0 and weights.exists():
                break
            self.epoch += 1
            self.batch = 0
            row = self._validate(sums / max(n_batches, 1))
            self.history.add(row)
            if row["val_loss"] < self.best:
                self.best = row["val_loss"]
                self._save(weights, row)
            self._store()
            saved = time.monotonic()
            if report is not None:
                report(row)
        return weights

    def _rate(self, done: float) -> float:
        warm_up = self.options.warm_up
        if done < warm_up:
            return self.options.learning_rate * max(done / warm_up, 1e-2)
        along = (done - warm_up) / (1 - warm_up)
        return self.options.learning_rate * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * along)))

    def _forward(
        self, trains: Trains, batch: Batch, seed: tuple[int, ...]
    ) -> tuple[NetworkOutput, LossParts]:
        made = make_batch(
            batch.isi_ms, batch.lengths, self.data.scale, self.config.patch, self.config.most_tokens
        )

        def put(values: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(values).to(self.device, non_blocking=True)

        known = put(_told(trains, batch, seed)) if self.config.n_told else None
        out: NetworkOutput = self.network(put(made.tokens), put(made.lengths), put(made.statistics), known)
        targets = trains.targets[batch.rows]
        box, scale = self.data.box, self.data.feature_scale
        features = (log_of_features(trains.features[batch.rows]) - scale.mean) / scale.std
        parts = losses(
            out,
            put(box.to_line(targets).astype(np.float32)),
            put(trains.drawn[batch.rows].astype(np.int64)),
            put((trains.pattern[batch.rows] == 2).astype(np.int64)),
            put(features.astype(np.float32)),
            self.pattern_weight,
            self.options.loss,
        )
        return out, parts

    def _learn(self, batch: Batch, done: float) -> np.ndarray:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(done)
        _, parts = self._forward(self.data.train, batch, (self.seed, _OF_TOLD, self.step))
        self.optimizer.zero_grad(set_to_none=True)
        parts.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.learned, self.options.clip)
        if bool(torch.isfinite(norm)):
            self.optimizer.step()
            decay = min(self.options.ema, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                torch._foreach_lerp_(self.ema, [p.detach() for p in self.learned], 1 - decay)
        return np.array([float(p.detach()) for p in parts])

    def _swap(self) -> None:
        """Exchange the weights and their running mean."""
        with torch.no_grad():
            for p, mean in zip(self.learned, self.ema, strict=True):
                kept = p.detach().clone()
                p.copy_(mean)
                mean.copy_(kept)

    def _validate(self, sums: np.ndarray) -> dict[str, Any]:
        trains = self.data.validation
        self._swap()
        self.network.eval()
        parts = np.zeros(len(LossParts._fields))
        error = np.zeros((len(trains), 2))
        right = np.zeros(len(trains), dtype=bool)
        with torch.inference_mode():
            for batch in ordered_batches(trains, 512, self.options.longest):
                out, loss = self._forward(trains, batch, (_OF_TOLD, int(batch.rows[0])))
                parts += np.array([float(p) for p in loss]) * batch.rows.size / len(trains)
                own = np.arange(batch.rows.size), trains.drawn[batch.rows].astype(np.int64)
                weight, centre, scale = (t.double().cpu().numpy()[own] for t in out[:3])
                mean, _ = moments(weight, centre, scale, self.data.box)
                error[batch.rows] = np.abs(mean - trains.targets[batch.rows])
                guess = out.pattern_logits.argmax(dim=-1).cpu().numpy() + 1
                right[batch.rows] = guess == trains.pattern[batch.rows]
        self.network.train()
        self._swap()
        row: dict[str, Any] = {"epoch": self.epoch, "step": self.step, "minutes": self.seconds / 60}
        row |= {f"train_{k}": float(v) for k, v in zip(("loss", *LossParts._fields[1:]), sums, strict=True)}
        row |= {f"val_{k}": float(v) for k, v in zip(("loss", *LossParts._fields[1:]), parts, strict=True)}
        row["val_accuracy"] = float(right.mean())
        made = ~trains.drawn
        for name, where in (
            ("", made),
            ("_spiking", made & (trains.pattern == 1)),
            ("_bursting", made & (trains.pattern == 2)),
            ("_drawn", trains.drawn),
        ):
            chosen = error[where]
            for i, dic in enumerate(("g_s", "g_u")):
                row[f"val_mae_{dic}{name}"] = float(chosen[:, i].mean()) if len(chosen) else math.nan
        return row

    def _save(self, path: Path, row: dict[str, Any]) -> None:
        self._swap()
        state = dict(self.network.state_dict()) if self.base is None else adapter_state(self.network)
        state = {k: v.detach().cpu().clone() for k, v in state.items()}
        self._swap()
        box, train_set = self.data.box, self.data.train
        save_weights(
            path,
            state,
            self.data.scale,
            self.data.feature_scale,
            {
                "neuron": self.neuron,
                "config": self.config.as_dict(),
                "dic_range": {
                    name: [float(box.low[i]), float(box.high[i])] for i, name in enumerate(("g_s", "g_u"))
                },
                "max_intervals": self.options.longest,
                "base": self.base,
                "recipes": self.data.recipes,
                "data": {
                    "trains": len(train_set),
                    "validation_trains": len(self.data.validation),
                    "share_noisy": float((train_set.sigma > 0).mean()),
                    "share_bursting": float((train_set.pattern == 2).mean()),
                    "share_drawn": float(train_set.drawn.mean()),
                    "longest_s": round(float(1e-3 * train_set.span_ms.max()), 2),
                },
                "training": {
                    "seed": self.seed,
                    "epoch": self.epoch,
                    "steps": self.step,
                    "minutes": round(self.seconds / 60, 2),
                    **self.length,
                    "start": self.start,
                    "device": str(self.device),
                    **{k: v for k, v in asdict(self.options).items() if k != "network"},
                },
                "validation": {k: v for k, v in row.items() if k.startswith("val_")},
                "versions": {
                    "spike2pop_nb": __version__,
                    "torch": torch.__version__,
                    "numpy": np.__version__,
                    "python": platform.python_version(),
                },
            },
            self.data.domain,
        )
