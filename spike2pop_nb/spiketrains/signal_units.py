"""The quantity and unit of a sampled signal, by its name, the file, a comment or its size; sampling rates."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from .names import vocabulary
from .train import FloatArray
from .units import LONGEST_LINE, LONGEST_NAME, MOST_SAMPLES_PER_S, SAMPLES, canonical_unit, to_ms

__all__ = [
    "Quantity",
    "SignalUnit",
    "judged_unit",
    "named_signal",
    "rate_from_facts",
    "sampling_rate",
    "signal_unit",
    "stated_signal_unit",
]

Quantity: TypeAlias = Literal["voltage", "current", "other", "odd", ""]

_PREFIXES: Final = {"": 1e3, "m": 1.0, "u": 1e-3, "µ": 1e-3, "μ": 1e-3, "n": 1e-6}
_VOLTS: Final[dict[str, float]] = {
    **{f"{prefix}{word}": factor for prefix, factor in _PREFIXES.items() for word in ("v", "volt", "volts")},
    **{
        f"{prefix}volt{end}": factor
        for prefix, factor in (("milli", 1.0), ("micro", 1e-3), ("nano", 1e-6))
        for end in ("", "s")
    },
}
_AMPERES: Final = frozenset(
    f"{prefix}{word}"
    for prefix in ("", "m", "u", "µ", "μ", "n", "p", "f", "milli", "micro", "nano", "pico")
    for word in ("a", "amp", "amps", "ampere", "amperes")
)
_OTHERS: Final = frozenset(
    f"{prefix}{word}"
    for prefix in ("", "m", "u", "µ", "μ", "n", "p", "k", "g")
    for word in ("s", "siemens", "m", "molar", "hz", "ohm", "ohms", "ω", "f", "n", "pa", "bar", "w", "g", "l")
) - {"pa", "g"} | vocabulary("°c degc celsius c k % mmhg deg rad lux rpm m/s cm/s cm")
# What converters count and what authors scale: numbers without a known size.
_ODD: Final = vocabulary(
    "count counts adc adu adus bit bits lsb lsbs au a.u. a.u arb arb. arbitrary raw dac int16 level levels "
    "digit digits step steps dimensionless normalized normalised norm z z-score zscore sd std sigma ratio "
    "unknown none n/a na n.a. unit units uncalibrated"
) | {"arbitrary units", "arb. units", "adc counts", "adc units", "raw counts", "adc bits"}
_NUMBERED: Final = re.compile(
    r"(?:[x×*]\s*)?(\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)\s*[*·x×]?\s*(\S+?)(?:\s*(?:/|per)\s*\w+)?", re.I
)
_BRACKETED: Final = re.compile(r"^(.*?)[\s_]*[(\[{]([^()\[\]{}]{1,20})[)\]}]$")
# The unit closes the name, set off from it: V_mV, soma.mV, "Vm mV".
_CLOSING: Final = re.compile(
    r"^(.+?)[\s_.,/:-]+((?:[munµμ]|milli|micro)?v(?:olts?)?|[munpfµμ]a(?:mps?)?|adc|counts?|adu|a\.?u\.?|n[sm]|p[sf])$",
    re.I,
)
_A_VOLTAGE: Final = re.compile(
    r"(?:.*[\s_.-])?(?:v|vm|v_?m(?:em)?|u|um|e|em|volt(?:age)?s?|potential|membrane|spannung|vsoma|v_?soma|"
    r"mempot|eeg|lfp|ecog|extracellular|emg)(?:[\s_.#-]*\d+)?(?:[\s_.-]+(?:soma|dend\w*|axon|membrane|trace|raw|data)\d*)?",
    re.I,
)
_A_CURRENT: Final = re.compile(
    r"(?:.*[\s_.-])?(?:i|im|i_?m|icmd|iinj|i_?inj\w*|i_?clamp|i_?hold\w*|current|curr|courant|strom)(?:[\s_.#-]*\d+)?"
    r"(?:[\s_.(-].*)?",
    re.I,
)
_AMPERE_NAME: Final = re.compile(r"^(?:.*[\s_.-])?(?:i|im|current|curr|iinj|icmd)[\s_.-]+a$", re.I)
_UNIT_FACT: Final = re.compile(
    r"(?:.*[\s_/.])?(?:(?:v|vm|volt(?:age)?|signal|data|sample|trace|y|adc)[\s_]*)?units?|unidad(?:es)?", re.I
)
_COMMENT: Final = re.compile(
    r"(?:\b(?:voltage|potential|signal|data|traces?|vm?|amplitudes?|values?|samples?)\b[^.;,:=()\[]{0,30}?(?:\bin\b|[(\[:=])|"
    r"\bunits?\b\s*(?:of\s+\w+\s*)?(?:[:=]|\bis\b|\bare\b))\s*([^\s,;)\]]+)",
    re.I,
)
_STEP_NAME: Final = re.compile(
    r"(?:.*[\s_./])?(?:dt|delta[\s_]?t|time[\s_]?step|sampl(?:e|es|ing)[\s_]?(?:interval|period|step)|si|interval|tstep)"
    r"(?:[\s_(\[]*(?P<unit>[munµμ]?s(?:ec(?:onds?)?)?|milliseconds?)[)\]]?)?",
    re.I,
)
# Lowest sampling rate in Hz that a file may state: spikes are sampled faster, and 30 may mean kHz.
_FEWEST_SAMPLES_PER_S: Final = 500.0
_RATE_NAME: Final = re.compile(
    r"(?:.*[\s_./])?(?:fs|sr|srate|sfreq|sampl(?:e|es|ing)[\s_-]*(?:rate|freq(?:uency)?|hz)|samplerate|samplefreq|"
    r"(?:sample|time)res|(?:time)?stamp[\s_-]*(?:freq(?:uency)?|rate)|adfreq(?:uency)?|ticks?[\s_-]*per[\s_-]*sec(?:ond)?)"
    r"(?:[\s_(\[]*(?P<unit>k?hz|mhz)[)\]]?)?",
    re.IGNORECASE,
)
# In a comment, the number that follows the word for sampling: others are filters, stimuli, mains.
_RATE_SAID: Final = re.compile(
    r"(?:\b(?:fs|sr|srate|sfreq)\b|\bsampl\w*|\bticks?\b|\bdigiti[sz]\w*|\bacqui\w*)(?P<between>[^\d]{0,40}?)"
    r"(?P<number>\d[\d ,']*(?:\.\d+)?(?:e\+?\d+)?)\s*(?P<unit>khz|mhz|hz|/\s*s|per\s+s)?",
    re.IGNORECASE,
)
_NO_RATE: Final = re.compile(
    r"lfp|filter|pass|stim|cut|interval|period|number|count|size|width", re.IGNORECASE
)
_RATE_TEXT: Final = re.compile(
    r"(?<![\w.])(\d[\d ,']*(?:\.\d+)?(?:e[+]?\d+)?)\s*(khz|mhz|hz|samples?\s*(?:/|per)\s*s(?:ec(?:ond)?)?)\b",
    re.IGNORECASE,
)
_HZ: Final = {"khz": 1e3, "mhz": 1e6, "hz": 1.0}
_LOWEST_REST_MV, _HIGHEST_REST_MV = -120.0, -20.0
_TALLEST_MV, _LOWEST_MV, _SPIKE_MV = 150.0, -250.0, 20.0


@dataclass(frozen=True)
class SignalUnit:
    """A unit of a signal.

    Attributes
    ----------
    quantity : str
        "voltage", "current", "other" (a known unit of neither), "odd" (counts and the like, or not
        understood).
    name : str
        "V", "mV", "uV" and "nV"; others as they were written.
    mV : float
        How many mV it is, for voltage.
    """

    quantity: Quantity
    name: str
    mV: float = 1.0


def signal_unit(text: str) -> SignalUnit | None:
    """The unit that a text names; None for no text.

    Examples
    --------
    >>> [signal_unit(text).quantity for text in ("mV", "0.195 uV", "pA", "nS", "a.u.", "furlongs")]
    ['voltage', 'voltage', 'current', 'other', 'odd', 'odd']
    """
    name = text.strip()
    word = name.lower().rstrip(".") if name.lower() not in _ODD else name.lower()
    if not word:
        return None
    if word in _VOLTS:
        factor = _VOLTS[word]
        return SignalUnit("voltage", {1e3: "V", 1.0: "mV", 1e-3: "uV", 1e-6: "nV"}[factor], factor)
    numbered = _NUMBERED.fullmatch(name)
    if numbered is not None and numbered[2].lower() in _VOLTS:
        factor = float(numbered[1].replace(",", ".")) * _VOLTS[numbered[2].lower()]
        return SignalUnit("voltage", name, factor) if 0 < factor < 1e9 else SignalUnit("odd", name)
    if word in _AMPERES:
        return SignalUnit("current", name)
    if word in _ODD:
        return SignalUnit("odd", name)
    if word in _OTHERS or canonical_unit(name) is not None:
        return SignalUnit("other", name)
    return SignalUnit("odd", name)


def named_signal(name: str) -> tuple[Quantity, SignalUnit | None]:
    """Quantity and unit that the name of a column gives, as far as it gives them.

    Examples
    --------
    >>> named_signal("Vm (mV)")[1].name, named_signal("I_pA")[0], named_signal("Vm"), named_signal("ch1")
    ('mV', 'current', ('voltage', None), ('', None))
    """
    name = name.strip()
    bracketed = _BRACKETED.match(name)
    if bracketed is not None:
        unit = signal_unit(bracketed[2])
        # "cell (left side)" or "V (2)" name no unit; a single word does.
        if unit is not None and (
            unit.quantity != "odd" or re.fullmatch(r"[^\W\d]+\.?[^\W\d]*\.?", bracketed[2])
        ):
            return unit.quantity, unit
        name = bracketed[1].strip() or name
    closing = _CLOSING.match(name)
    if closing is not None:
        unit = signal_unit(closing[2])
        assert unit is not None
        # In a name such as soma_V, the V may as well be the quantity.
        return (unit.quantity, unit) if unit.name != "V" else ("voltage", unit)
    if name and name.lower() != "v" and name.lower() in _VOLTS:
        return "voltage", signal_unit(name)
    if len(name) == 2 and name.lower() in _AMPERES:
        return "current", signal_unit(name)
    if _AMPERE_NAME.match(name):
        return "current", SignalUnit("current", "A")
    if _A_VOLTAGE.fullmatch(name):
        return "voltage", None
    if _A_CURRENT.fullmatch(name):
        return "current", None
    return "", None


def stated_signal_unit(
    facts: Mapping[str, float | str], comments: Iterable[str]
) -> tuple[SignalUnit, str] | None:
    """The one unit of signals that a file states in facts or comments, and where; None for none or more."""
    found: dict[str, tuple[SignalUnit, str]] = {}
    for name, value in facts.items():
        if isinstance(value, str) and _UNIT_FACT.fullmatch(name.rpartition("/")[2].strip()):
            unit = signal_unit(value)
            if unit is not None and unit.quantity != "other":
                found.setdefault(unit.name, (unit, f"as {name!r} says"))
    for line in comments:
        for match in _COMMENT.finditer(line):
            unit = signal_unit(match[1].strip("\"'([{."))
            # Of words in running text only known ones are units.
            known = unit is not None and (
                unit.quantity in ("voltage", "current") or unit.name.lower() in _ODD
            )
            if unit is not None and known:
                found.setdefault(unit.name, (unit, f"as the comment {line.strip()!r} says"))
    return next(iter(found.values())) if len(found) == 1 else None


def judged_unit(samples: FloatArray, *, is_voltage: bool) -> tuple[SignalUnit, str] | None:
    """The unit of voltage that the finite values suggest; None where they may as well be something else.

    Where no name says that they are a voltage, only spikes of 20 mV and more above a resting potential are
    taken for one, since currents and counts may have any other size.
    """
    middle, low, high = float(np.median(samples)), float(samples.min()), float(samples.max())
    for unit, factor in (("mV", 1.0), ("V", 1e3), ("uV", 1e-3)):
        rest = _LOWEST_REST_MV <= middle * factor <= _HIGHEST_REST_MV
        spikes = (high - middle) * factor >= _SPIKE_MV and high - middle > middle - low
        if rest and (spikes or is_voltage) and low * factor >= _LOWEST_MV and high * factor <= _TALLEST_MV:
            what = "rest and spikes of a neuron" if spikes else "the potential of a neuron"
            return SignalUnit("voltage", unit, factor), (
                f"assumed from values of {low:.4g} to {high:.4g} around {middle:.4g}, which as "
                f"{_shown(unit)} are {what}"
            )
    if not is_voltage:
        return None
    largest = max(abs(low), abs(high))
    unit = "V" if largest <= 1.0 else "mV" if largest <= 1000.0 else "uV"
    return SignalUnit(
        "voltage", unit, _VOLTS[unit.lower()]
    ), f"assumed from the largest value of {largest:.4g}"


def _rate_from_text(text: str) -> float | None:
    """A sampling rate in Hz that stands in a text with its unit, such as "12.5 kHz"; None for none."""
    found = _RATE_TEXT.search(text)
    if found is None:
        return None
    number = re.sub(r"[ ,']", "", found[1])
    rate = float(number) * _HZ.get(found[2].lower(), 1.0)
    return rate if 1.0 <= rate <= MOST_SAMPLES_PER_S else None


def _rate_said(line: str) -> float | None:
    said = _RATE_SAID.search(line)
    if said is None or _NO_RATE.search(line[: said.start("number")]):
        return None
    named = said["unit"] or (re.search(r"k?hz|mhz", said["between"], re.IGNORECASE) or [""])[0]
    rate = float(re.sub(r"[ ,']", "", said["number"])) * _HZ.get(named.lower(), 1.0)
    return rate if _FEWEST_SAMPLES_PER_S <= rate <= MOST_SAMPLES_PER_S else None


def rate_from_facts(facts: Mapping[str, float | str], comments: Iterable[str]) -> tuple[float, str] | None:
    """Sampling rate in Hz that a file states, and where; None when it states none.

    Two rates that differ are none: which of them the spikes were counted at is not known.
    """
    found: dict[float, str] = {}
    for name, value in facts.items():
        name, value = name[:LONGEST_NAME], value[:LONGEST_NAME] if isinstance(value, str) else value
        match = _RATE_NAME.fullmatch(name.rpartition("/")[2].strip())
        if match is None:
            continue
        rate = _rate_from_text(value) if isinstance(value, str) else None
        if rate is None:
            try:
                rate = float(value) * _HZ.get((match["unit"] or "hz").lower(), 1.0)
            except ValueError:
                continue
        if math.isfinite(rate) and _FEWEST_SAMPLES_PER_S <= rate <= MOST_SAMPLES_PER_S:
            found.setdefault(rate, repr(name))
    if not found:
        for line in (line[:LONGEST_LINE] for line in comments):
            rate = _rate_said(line)
            if rate is not None:
                found.setdefault(rate, f"the comment {line.strip()!r}")
    return next(iter(found.items())) if len(found) == 1 else None


def sampling_rate(facts: Mapping[str, float | str], comments: Iterable[str]) -> tuple[float, str] | None:
    """Sampling rate in Hz that a file states, as a rate or as a step such as ``dt_ms``, and where."""
    comments = list(comments)
    rate = rate_from_facts(facts, comments)
    if rate is not None:
        return rate
    stated: list[tuple[str, float | str, str]] = [(name, value, repr(name)) for name, value in facts.items()]
    for line in comments:
        name, _, value = re.sub(r"[:=]", "=", line).partition("=")
        stated.append((name, value, f"the comment {line.strip()!r}"))
    for name, given, where in stated:
        match = _STEP_NAME.fullmatch(name.rpartition("/")[2].strip())
        if match is None:
            continue
        words = str(given).split()
        unit = canonical_unit(match["unit"] or (words[1] if len(words) > 1 else ""))
        try:
            step = float(words[0]) if words else 0.0
        except ValueError:
            continue
        if unit is None:
            # Traces are sampled at 500 Hz to 200 kHz: a step of 0.005 to 2 ms.
            unit = "s" if step < 0.002 else "ms" if step < 5.0 else "us"
        rate_hz = 1000.0 / max(float(to_ms(np.array(step), unit)), 1e-12) if unit != SAMPLES else 0.0
        if 1.0 <= rate_hz <= MOST_SAMPLES_PER_S:
            return float(f"{rate_hz:.12g}"), f"{where} (a step of {step:g} {_shown(unit)})"
    return None


def _shown(unit: str) -> str:
    return unit.replace("uV", "µV").replace("us", "µs")
