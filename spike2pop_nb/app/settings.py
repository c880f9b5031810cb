"""What a user can choose, as one checked object: saved as JSON, written in the address bar, undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    field_validator,
)

from spike2pop_nb.app.parts import Asked, Compared, Explored, Name, Pair, check_channels, different
from spike2pop_nb.errors import Spike2PopError, printable
from spike2pop_nb.inference.drive import MOST_CURRENT
from spike2pop_nb.neurons import broken_neurons, get_neuron, list_neurons
from spike2pop_nb.spiketrains.reader import Layout
from spike2pop_nb.spiketrains.sides import Polarity
from spike2pop_nb.spiketrains.units import MOST_SAMPLES_PER_S, canonical_unit
from spike2pop_nb.spiketrains.voltage import VoltageUnit

__all__ = [
    "DETECTING",
    "JUDGING",
    "MAX_MEMBERS",
    "PARTS",
    "READING",
    "SEARCHING",
    "Explored",
    "SettingError",
    "Settings",
    "is_settings",
]

READING, DETECTING, SEARCHING, JUDGING = "reading", "detecting", "searching", "judging"
"""What a setting is marked with: reading a file, detecting spikes, a search, or its verdicts rest on it."""

MAX_MEMBERS = 1000
"""Most members that the page generates at once, so that their traces fit in memory and in the browser."""
# As many sheets as Excel makes a new workbook with at most. A name of 31 letters, each up to nine characters
# of an address, has room in the text so many times.
_LONGEST_TEXT = 200_000
_MOST_COLUMNS, _MOST_CHANNELS, _MOST_SHEETS = 8, 100, 255
PARTS: dict[str, type[Explored | Asked | Compared]] = {"explore": Explored, "ask": Asked, "compare": Compared}
"""Settings that have settings of their own."""


def _unit(text: str) -> str:
    unit = "auto" if text == "auto" else canonical_unit(text)
    if unit is None:
        raise ValueError(
            f"the unit {text[:40]!r} is unknown; give h, min, s, ms, us, ns, samples, or a multiple such as "
            "0.1 ms"
        )
    return unit


def _columns(value: object) -> object:
    """One name is a column by itself, and an empty one no column, as an address writes it."""
    names = [value] if isinstance(value, str) else value
    return [name for name in names if name] if isinstance(names, list) else names


def _levels(value: object) -> object:
    """What an address writes for several channels, {"Vm": -20}."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("levels of channels must be written as {channel: level}") from None
    return value


_Names = tuple[Name, ...] | None
_Level = Annotated[
    FiniteFloat | Annotated[dict[Name, FiniteFloat], Field(min_length=1, max_length=_MOST_CHANNELS)],
    BeforeValidator(_levels),
]


def is_settings(data: bytes) -> bool:
    """Whether a file is one of settings, as `Settings.to_json` makes it."""
    return data.lstrip().startswith(b"{") and b'"spike2pop_settings"' in data[:_LONGEST_TEXT]


_OF_NUMBERS = ("greater_than", "less_than", "int_", "float_", "finite_number")
"""How the kinds of errors about numbers begin."""


class SettingError(Spike2PopError):
    """A setting cannot be what was chosen.

    ``words`` say why, without naming it; ``number`` is "a whole number" or "a number" where that or another
    is needed, and ``limits`` are the lowest and the highest that it may be, where there are any.
    """

    def __init__(
        self, where: str, words: str, number: str = "", limits: tuple[float, float] | tuple[()] = ()
    ) -> None:
        super().__init__(f"Settings, {where}: {words}.")
        self.words, self.number, self.limits = words, number, limits

    def of(self, label: str, value: Any, shown: Callable[[Any], Any]) -> str:
        """Say it of a control with a label, which shows a setting as ``shown`` has it, and holds a value."""
        if not self.number:
            return f"“{label}”: {self.words}."
        wanted = self.number
        if self.limits:
            wanted += " from {} to {}".format(*(f"{float(shown(limit)):.10g}" for limit in self.limits))
        if isinstance(value, str):
            instead = f", not {value.strip()[:40]!r}" if value.strip() else "; it is empty"
        else:
            instead = f", not {value}" if isinstance(value, int) else f", not {value:.10g}"
        return f"“{label}”: give {wanted}{instead}."


class Settings(BaseModel):
    """Choices of one session."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Name | None = None  # or of the bundled example; only examples can be opened again by name
    # id of the chosen one; the first is looked at where none is chosen or the file has no such
    recording: Name | None = None
    # how the file is read, and which stretch of it, see `read_spike_trains`; the unit "auto" is what the file
    # says or the intervals suggest, and no columns of ids at all are an empty tuple
    unit: Annotated[str, AfterValidator(_unit), READING] = "auto"
    layout: Annotated[Layout, READING] = "auto"
    sheets: Annotated[
        _Names, Field(min_length=1, max_length=_MOST_SHEETS), BeforeValidator(_columns), READING
    ] = None
    id_columns: Annotated[_Names, Field(max_length=_MOST_COLUMNS), BeforeValidator(_columns), READING] = None
    time_column: Annotated[Name | None, READING] = None
    sampling_rate_hz: Annotated[float | None, Field(ge=1, le=MOST_SAMPLES_PER_S), READING] = None
    start_s: Annotated[FiniteFloat | None, READING] = None
    stop_s: Annotated[FiniteFloat | None, READING] = None
    voltage_unit: Annotated[VoltageUnit, READING] = "auto"  # see `read_voltage`
    # where spikes of a recorded voltage are detected, and what it must come back to before the next: for all
    # traces or by the name of a channel ("*" for all that are not named), None for what each trace suggests;
    # and which way they point; see `detect_recordings`
    threshold_mV: Annotated[_Level | None, DETECTING] = None
    reset_mV: Annotated[_Level | None, DETECTING] = None
    polarity: Annotated[Polarity, DETECTING] = "auto"
    neuron: str = "stg"  # the model, and the prior over its conductances; see `Predictor.predict`
    prior: Literal["compensated", "drawn", "both"] = "compensated"
    compensate: Annotated[Pair | None, SEARCHING] = None  # None for the recommended ones
    size: Annotated[int, Field(ge=1, le=MAX_MEMBERS), SEARCHING] = 16
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), SEARCHING] = 1
    budget: Annotated[int, Field(ge=0, le=1_000_000), SEARCHING] = 0  # of simulations; 0 for the program's
    refine: Annotated[bool, SEARCHING] = True  # until members fire like the recording
    judged: Literal["automatic", "own"] = "automatic"  # as the recording needs, or by its own variability
    # inhibition of members of a bursting recording, and a current in µA/cm² that is known: `find_population`
    inhibition: Literal["if needed", "always", "never"] = "if needed"
    current: Annotated[float | None, Field(ge=-MOST_CURRENT, le=MOST_CURRENT), SEARCHING] = None
    # how far a member may be from the recording and pass, see `PassRule`; 0 leaves it to the program
    rate_tolerance: Annotated[float, Field(ge=0, le=1), JUDGING] = 0
    isi_tolerance: Annotated[float, Field(ge=0, le=10), JUDGING] = 0
    burst_tolerance: Annotated[float, Field(ge=0, le=1), JUDGING] = 0
    explore: Explored = Explored()
    ask: Asked = Asked()
    compare: Compared = Compared()

    @field_validator("neuron")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in list_neurons():
            why = broken_neurons().get(name)
            if why is not None:
                raise ValueError(f"the neuron {name[:40]!r} cannot be used: {why}")
            raise ValueError(f"there is no neuron {name[:40]!r}; there are {', '.join(list_neurons())}")
        return name

    _two = field_validator("compensate")(different)

    @classmethod
    def names(cls, mark: str) -> tuple[str, ...]:
        """Names of the settings with a mark."""
        return tuple(name for name, field in cls.model_fields.items() if mark in field.metadata)

    def part(self, mark: str) -> dict[str, Any]:
        """The settings with a mark, by their names."""
        return {name: getattr(self, name) for name in self.names(mark)}

    def tolerances(self) -> dict[str, float | None]:
        """Those that are chosen, as `pass_rule` takes them."""
        return {name.removesuffix("_tolerance"): value or None for name, value in self.part(JUDGING).items()}

    @property
    def inhibited(self) -> bool | None:
        """Whether members receive a rhythmic inhibition, as `find_population` takes it."""
        return {"if needed": None, "always": True, "never": False}[self.inhibition]

    def changed(self, **choices: Any) -> Settings:
        """With other choices, and without those that belonged to another neuron, recording or pair.

        Raises
        ------
        Spike2PopError
            If one cannot be; it is named.
        """

        def other(*names: str) -> bool:
            return any(choices.get(name, getattr(self, name)) != getattr(self, name) for name in names)

        explore, compare = self.explore, self.compare
        if other("neuron"):
            compare = compare.model_copy(update={"known": None})
            choices = {"compensate": None, "ask": Asked(kind=self.ask.kind), **choices}
            explore = Explored(layer=explore.layer)
        if other("file"):
            compare = compare.model_copy(update={"before": None, "after": None})
        if other("file", "recording"):  # the next begins at its own DICs
            explore = explore.model_copy(update={"target": None, "end": None})
        if other("compensate"):  # what is chosen for the search is explored too
            explore = explore.model_copy(update={"pair": None})
        return self._made({**dict(self), "explore": explore, "compare": compare, **choices})

    @classmethod
    def of_search(cls) -> tuple[str, ...]:
        """Names of the settings that the members found for a recording follow from."""
        return (*cls.names(SEARCHING), *cls.names(JUDGING), "judged", "inhibition")

    def with_search_of(self, other: Settings) -> Settings:
        """With what other settings have members searched by."""
        return self.model_copy(update={name: getattr(other, name) for name in self.of_search()})

    def with_file_of(self, other: Settings) -> Settings:
        """With the file of other settings, how it is read, its recording, and the target for that."""
        same = other.neuron == self.neuron
        targets = {name: getattr(other.explore, name) if same else None for name in ("target", "end")}
        of_file = {
            "file": other.file,
            "recording": other.recording,
            **other.part(READING),
            **other.part(DETECTING),
            "explore": self.explore.model_copy(update=targets),
            "compare": self.compare.model_copy(
                update={name: getattr(other.compare, name) for name in ("before", "after")}
            ),
        }
        return self.model_copy(update=of_file)

    @classmethod
    def choice(cls, name: str, value: object) -> Any:
        """One choice as it is kept.

        Raises
        ------
        Spike2PopError
            If it cannot be.
        """
        return getattr(cls._made({name: value}), name)

    def checked(self) -> Settings:
        """Itself, if the neuron can do what is asked.

        Raises
        ------
        Spike2PopError
            If it cannot.
        """
        neuron = get_neuron(self.neuron)
        where = "compensate"
        try:
            check_channels(self.compensate, neuron)
            for where in PARTS:
                getattr(self, where).checked(neuron)
        except Spike2PopError as error:
            raise SettingError(where, _lower(str(error))) from None
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
        chosen = self.model_dump(exclude_defaults=True, exclude=set(PARTS))
        for part in PARTS:
            chosen |= {f"{part}.{name}": value for name, value in getattr(self, part).to_fields().items()}
        if self.compensate is not None:
            chosen["compensate"] = ",".join(self.compensate)
        if self.id_columns is not None:  # an entry per column, since names may hold any character
            chosen["id_columns"] = self.id_columns or [""]
        for name in ("threshold_mV", "reset_mV"):
            if isinstance(chosen.get(name), dict):
                chosen[name] = json.dumps(chosen[name], ensure_ascii=False, separators=(",", ":"))
        return urlencode({name: value for name, value in chosen.items() if value is not None}, doseq=True)

    @classmethod
    def from_fragment(cls, fragment: str) -> Settings:
        """From what `to_fragment` gave.

        Raises
        ------
        Spike2PopError
            With the name of the entry that is wrong.
        """
        most = len(cls.model_fields) + sum(len(part.model_fields) for part in PARTS.values())
        most += _MOST_COLUMNS + _MOST_SHEETS
        try:
            pairs = parse_qsl(
                fragment.lstrip("#")[:_LONGEST_TEXT], keep_blank_values=True, max_num_fields=most
            )
        except ValueError:
            raise Spike2PopError(
                f"Settings, as a whole: the address holds more than {most} entries; open the page "
                "without what follows the # in its address."
            ) from None
        values: dict[str, Any] = {}
        for name, value in pairs:
            if name == "id_columns" or (name == "sheets" and value):
                values.setdefault(name, []).append(value)
            elif value and name.partition(".")[0] in PARTS and "." in name:
                part, _, inner = name.partition(".")
                if isinstance(of_part := values.setdefault(part, {}), dict):
                    of_part[inner] = value
            elif value:
                values[name] = value
        return cls._made(values)

    @classmethod
    def _made(cls, values: dict[str, object]) -> Settings:
        column = values.pop("id_column", None)  # as it was called when there could be but one
        if column is not None:
            values.setdefault("id_columns", [column])
        try:
            return cls.model_validate(values).checked()
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"] if part != "float") or "as a whole"
            of_number = first["type"].startswith(_OF_NUMBERS)
            wanted = _number_wanted(cls, first["loc"]) if of_number else ()
            raise SettingError(printable(where[:60]), printable(_lower(first["msg"])), *wanted) from None


def _number_wanted(
    model: type[BaseModel], place: tuple[int | str, ...]
) -> tuple[str, tuple[float, float] | tuple[()]]:
    """Which kind of number is wanted at a place in the settings, and from where to where."""
    if place[0] in PARTS:
        return _number_wanted(PARTS[str(place[0])], place[1:])
    field = model.model_fields[str(place[0])]
    ends = [getattr(mark, side) for side in ("ge", "le") for mark in field.metadata if hasattr(mark, side)]
    return (
        "a whole number" if field.annotation is int else "a number",
        (ends[0], ends[1]) if len(ends) == 2 else (),
    )


def _lower(message: str) -> str:
    message = message.removeprefix("Value error, ").rstrip(".")
    begins_a_word = message[1:2].islower()  # and not with a name, such as V_th
    return (message[:1].lower() if begins_a_word else message[:1]) + message[1:300]
