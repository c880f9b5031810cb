"""What a user can choose, as one checked object: saved as JSON, written in the address bar, undone."""

from __future__ import annotations

import json
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.neurons import get_neuron, list_neurons
from spike2pop_nb.spiketrains.reader import Layout, UnitChoice

__all__ = ["MAX_MEMBERS", "Settings"]

MAX_MEMBERS = 1000
"""Most members that the page generates at once, so that their traces fit in memory and in the browser."""
_LONGEST_TEXT, _MOST_FIELDS = 20_000, 30


class Settings(BaseModel):
    """Choices of one session.

    Attributes
    ----------
    file
        Name of the file, or of the bundled example; only examples can be opened again by name.
    recording
        Id of the chosen recording.
    unit
        Unit that the file's times are taken to have.
    layout, id_column, time_column
        How a table is read where it was not understood; see `read_spike_trains`.
    threshold_mV
        Where spikes of a recorded voltage are detected; None for what each trace suggests.
    neuron, prior
        The model, and what the recorded neuron is taken to be made like; see `Predictor.predict`.
    compensate
        The two conductances solved for; None for the recommended ones.
    size, seed, budget
        Members wanted, seed, and most simulations of a member (0 leaves it to the program).
    refine
        Whether members are refined until they fire like the recording.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str | None = Field(default=None, max_length=300)
    recording: str | None = Field(default=None, max_length=300)
    unit: UnitChoice = "auto"
    layout: Layout = "auto"
    id_column: str | None = Field(default=None, max_length=300)
    time_column: str | None = Field(default=None, max_length=300)
    threshold_mV: float | None = Field(default=None, ge=-1000, le=1000)
    neuron: str = "stg"
    prior: Literal["compensated", "drawn", "both"] = "compensated"
    compensate: tuple[str, str] | None = None
    size: int = Field(default=16, ge=1, le=MAX_MEMBERS)
    seed: int = Field(default=1, ge=0, le=2**31 - 1)
    budget: int = Field(default=0, ge=0, le=1_000_000)
    refine: bool = True

    @field_validator("neuron")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in list_neurons():
            raise ValueError(f"there is no neuron {name[:40]!r}; there are {', '.join(list_neurons())}")
        return name

    @field_validator("compensate")
    @classmethod
    def _two(cls, pair: tuple[str, str] | None) -> tuple[str, str] | None:
        if pair is not None and pair[0] == pair[1]:
            raise ValueError("two different conductances are needed")
        return pair

    @classmethod
    def nearest(cls, **values: Any) -> Settings:
        """With whole numbers that lie outside their range brought to its nearest end, long names cut."""
        for name, field in cls.model_fields.items():
            value = values.get(name)
            limits = {type(limit).__name__: limit for limit in field.metadata}
            if isinstance(value, int | float) and "Ge" in limits:
                values[name] = min(max(value, limits["Ge"].ge), limits["Le"].le)
            elif isinstance(value, str) and "MaxLen" in limits:
                values[name] = value[: limits["MaxLen"].max_length]
        return cls(**values)

    def checked(self) -> Settings:
        """Itself, if the conductances are channels of the neuron.

        Raises
        ------
        Spike2PopError
            If they are not.
        """
        if self.compensate is not None:
            names = get_neuron(self.neuron).channel_names
            for name in self.compensate:
                if name not in names:
                    raise Spike2PopError(
                        f"Settings, compensate: the {self.neuron} neuron has no channel {name[:40]!r}; "
                        f"it has {', '.join(names)}."
                    )
        return self

    def to_json(self) -> str:
        """As a file."""
        return json.dumps({"spike2pop_settings": 1, **self.model_dump()}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: bytes | str) -> Settings:
        """From what `to_json` or the ``settings.json`` among downloads holds.

        Raises
        ------
        Spike2PopError
            With the name of the entry that is wrong.
        """
        try:
            values = json.loads(text[:_LONGEST_TEXT])
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict) or values.pop("spike2pop_settings", None) != 1:
            raise Spike2PopError(
                "This is not a file of settings; choose one that was saved here with Save settings."
            )
        return cls._made(values)

    def to_fragment(self) -> str:
        """As the part of an address after #; only what differs from the defaults."""
        chosen = self.model_dump(exclude_defaults=True)
        if self.compensate is not None:
            chosen["compensate"] = ",".join(self.compensate)
        return urlencode({name: value for name, value in chosen.items() if value is not None})

    @classmethod
    def from_fragment(cls, fragment: str) -> Settings:
        """From what `to_fragment` gave.

        Raises
        ------
        Spike2PopError
            With the name of the entry that is wrong.
        """
        try:
            pairs = parse_qsl(fragment.lstrip("#")[:_LONGEST_TEXT], max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise Spike2PopError(
                f"Settings, as a whole: the address holds more than {_MOST_FIELDS} entries; open the page "
                "without what follows the # in its address."
            ) from None
        values: dict[str, object] = dict(pairs)
        if "compensate" in values:
            values["compensate"] = tuple(str(values["compensate"]).split(","))
        return cls._made(values)

    @classmethod
    def _made(cls, values: dict[str, object]) -> Settings:
        try:
            return cls.model_validate(values).checked()
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "as a whole"
            raise Spike2PopError(f"Settings, {where[:60]}: {_lower(first['msg'])}.") from None


def _lower(message: str) -> str:
    message = message.removeprefix("Value error, ").rstrip(".")
    return message[:1].lower() + message[1:300]
