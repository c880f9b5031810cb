"""The unit of the times in a file: what a name, an attribute or a comment says, otherwise the intervals."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

import numpy as np

from spike2pop_nb.errors import SpikeTrainError

from .train import FloatArray

__all__ = [
    "LONGEST_LINE",
    "LONGEST_NAME",
    "MOST_SAMPLES_PER_S",
    "REFRACTORY_MS",
    "SAMPLES",
    "UNDERSTOOD",
    "canonical_unit",
    "check_rate",
    "checked_unit",
    "ms_per_unit",
    "shown_unit",
    "to_ms",
    "unit_from_comments",
    "unit_from_intervals",
    "unit_from_name",
]

SAMPLES: Final = "samples"
"""The unit of times that count samples; it takes a sampling rate to know how long they are."""

UNDERSTOOD: Final = "h, min, s, ms, us, ns, samples, or a multiple such as '0.1 ms'"
"""The units of time that can be given, in words."""

_SECONDS: Final = (
    "second seconds secs sec sek seg seconde secondes sekunde sekunden sekunder sekundy sekund segundo "
    "segundos secondo secondi seconden"
)
_PREFIXES: Final = {
    **{"": "s", "milli": "ms", "milli ": "ms", "milli-": "ms", "mili": "ms", "nano": "ns"},
    **{"micro": "us", "micro ": "us", "mikro": "us", "deci": "ds", "centi": "cs"},
}
_WORDS: Final = {
    "h": "h hr hrs hour hours stunde stunden heure heures hora horas ore ч час",
    "min": "min mins minute minutes minuten minuto minutos minuti мин 分",
    "s": "s с сек секунда секунды секунд 秒",
    "ms": "ms msec msecs msek мс мсек миллисекунды миллисекунд 毫秒 ミリ秒",
    "us": "us µs μs usec µsec μsec usecs мкс микросекунды микросекунд 微秒 マイクロ秒",
    "ns": "ns nsec nsecs нс",
    "ds": "ds",
    "cs": "cs",
    SAMPLES: "sample samples samp frame frames tick ticks pts datapoints timesteps",
}

_UNIT_WORDS: Final[dict[str, str]] = {
    **{prefix + word: unit for prefix, unit in _PREFIXES.items() for word in _SECONDS.split()},
    **{word: unit for unit, words in _WORDS.items() for word in words.split()},
}
"""The unit for each word that names one, in small letters."""


MOST_SAMPLES_PER_S: Final = 1e7
"""Highest sampling rate in Hz that is taken for one."""

_MS: Final[dict[str, float]] = {
    **{"h": 3.6e6, "min": 6e4, "s": 1e3, "ds": 100.0, "cs": 10.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
}
_LONGEST_TICK_MS: Final = 10.0
# Longer texts name no unit, and patterns would take long to find that out.
LONGEST_NAME, LONGEST_LINE = 200, 500
_WORD: Final = "|".join(re.escape(word) for word in sorted(_UNIT_WORDS, key=len, reverse=True))
# Full-width letters and brackets, as Japanese and Chinese keyboards write them.
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−", "0123456789-+-")
_NUMBER: Final = (
    r"\d+(?:[.,]\d+)?e[+-]?\d+|10\s*(?:\^|\*\*|e)?\s*[({]?[-−⁻+⁺][\d⁰¹²³⁴⁵⁶⁷⁸⁹]+[)}]?|"
    r"1/\d+(?:\.\d+)?|\d+(?:[.,]\d+)?"
)
# 0.1 ms, 10us, 100 microseconds, x 10^-4 s, 1/30000 s
_EXPRESSION: Final = re.compile(
    rf"(?:(?:[x×*]\s*)?(?P<number>{_NUMBER})[\s_*·]*)?(?P<word>{_WORD})", re.IGNORECASE
)
# The unit closes the name, set off from it: time_ms, t (s), spikes [us], time.ms, "times in ms".
_IN_NAME: Final = re.compile(
    rf"^(?:(?P<stem>.*?)[\s_.,/(\[{{:-]+)?(?P<unit>{_EXPRESSION.pattern})[)\]}}]?$", re.IGNORECASE
)
_IN_BRACKETS: Final = re.compile(r"^(?P<stem>[^()\[\]{}]*)[(\[{](?P<unit>[^()\[\]{}]{1,40})[)\]}]$")
_CLOCK_FORMAT: Final = re.compile(r"\b(?:hh?:)?mm?:ss?\b", re.IGNORECASE)  # Time (hh:mm:ss.ms)
_UNIT_IS: Final = re.compile(
    r"\W*(?P<what>(?:(?:spike|event)?\s*time[\s_-]*)?units?|units?\s+of\s+(?:the\s+)?(?:spike\s*)?times?|"
    r"time[\s_-]*base)\s*(?:[:=]|\bis\b|\bare\b|(?<=base)\s(?=[\d]))\s*(.{1,40})",
    re.IGNORECASE,
)
# Times of the spikes, not of pulses, and no widths or durations.
_OF_SPIKES: Final = (
    r"\W*(?:(?:all|the|these|spike|event|firing|recorded|alle|die|tous|les|los|todos)\s+)*"
    r"(?:times?|time[\s_-]?stamps?|spikes|(?:spike)?zeit(?:en|punkte)?|temps|tiempos?|tempi|tempo|tijd(?:en)?|"
    r"czas|время|времена|時間|時刻|时间)(?![a-z])"
)
_TIMES_IN: Final = re.compile(
    rf"{_OF_SPIKES}(?:(?!stim|trig|light|puls|laser|drug)[^.;,:=()]){{0,30}}?(?:\b(?:in|as|en|w|в)\s+|[:：]\s*)(?:units\s+of\s+)?"
    rf"(?P<unit>{_EXPRESSION.pattern})\b",
    re.IGNORECASE,
)
# Tenths of milliseconds, Zehntelmillisekunden, half-seconds: a unit, and none that is known.
_ODD_UNIT: Final = re.compile(
    rf"{_OF_SPIKES}[^.;,:=()]{{0,20}}?\b(?:in|as|en)\s+(?P<unit>(?:\w+\s+(?:of|van|von|de|di)\s+(?:an?\s+|the\s+)?)?[^\W\d]*"
    r"(?:sekund|second|segund|msec|usec|minut|hour|stunde|tick|jiff)\w*)",
    re.IGNORECASE,
)
_TIMES_BRACKETED: Final = re.compile(
    rf"{_OF_SPIKES}\s*[(\[](?P<unit>[^()\[\]]{{1,30}})[)\]]\W*$", re.IGNORECASE
)
# "spike times, milliseconds", "Times - s", "spike times ms": the unit closes the line.
_TIMES_THEN: Final = re.compile(
    rf"{_OF_SPIKES}(?:\s*[,;/–—-]\s*|\s+(?=[mµμun]s\b|milli|micro|msec|usec|sec|sek))"
    rf"(?P<unit>{_EXPRESSION.pattern})\W*$",
    re.IGNORECASE,
)
_TIME_WORD: Final = re.compile(
    r"(?:^|[^a-z])t(?:$|[^a-z])|time|stamp|spike|zeit|temps|tiempo|tempo|tijd|czas|instant|врем|時|时"
)
# A unit that is scaled by hand, or a rate instead of a unit: ms*10, us_x10, 50khz.
_SCALED: Final = re.compile(
    r"\b(?:[mµμnu]?s(?:ec)?s?|samples?)\s*[*/×x]\s*\d[\d.e+-]*|\bx\s*\d+\b|\b\d+(?:\.\d+)?\s*[km]?hz\b",
    re.IGNORECASE,
)
_SCALE_SAID: Final = re.compile(
    r"\b(?:multipl|divid)\w+\s+(?:\w+\s+){0,2}?(?:by|with)\s+[\d.e^-]+", re.IGNORECASE
)
# A median interval of 2 ms to 2 s is a rate of 0.5 to 500 Hz: what neurons do. The three units differ by a
# thousand each, so exactly one of them puts any median there.
_SHORTEST_MEDIAN_MS, _LONGEST_MEDIAN_MS = 2.0, 2000.0
# No neuron fires again within half a millisecond.
REFRACTORY_MS = 0.5
# A train that breaks this rule in ms is a slow one in seconds if its numbers are small throughout.
_SLOW_MEDIAN_S, _SLOW_SPAN_S = 10.0, 5000.0
# Slower than a spike a minute, numbers are µs.
_SLOWEST_MEDIAN_MS = 60_000.0


def canonical_unit(text: str) -> str | None:
    """The unit that a text names, in one spelling; None where it names none.

    Parameters
    ----------
    text : str
        For example "msec", "0.1 ms", "10us", "x 10^-4 s", "samples".

    Returns
    -------
    str or None
        "h", "min", "s", "ms", "us", "ns", "samples", or a number and one of these, such as "0.1 ms".

    Examples
    --------
    >>> canonical_unit("microseconds"), canonical_unit("x 10^-4 s"), canonical_unit("parsec")
    ('us', '0.1 ms', None)
    """
    text = text.strip().rstrip(".").strip()
    match = _EXPRESSION.fullmatch(text) if len(text) <= LONGEST_NAME else None
    if match is None:
        return None
    word = _UNIT_WORDS[match["word"].lower()]
    if match["number"] is None:
        return word
    number = _number(match["number"])
    if not (math.isfinite(number) and number > 0):
        return None
    if word == SAMPLES:
        return SAMPLES if number == 1 else None
    if number * _MS[word] > _LONGEST_TICK_MS:
        return None  # "5 min" is a duration, no unit that anything is counted in
    for name, ms in _MS.items():  # 10^-3 s is ms, and 1e-4 s is 0.1 ms
        if math.isclose(number * _MS[word], ms, rel_tol=1e-9):
            return name
    return f"{float(f'{number * _MS[word]:.16g}')!r} ms"


def checked_unit(unit: object) -> str:
    """A unit that the caller gave, in one spelling, or "auto"."""
    found = unit if unit == "auto" else canonical_unit(str(unit))
    if found is None:
        raise SpikeTrainError(f"The unit {unit!r} is unknown; choose one of {UNDERSTOOD}.")
    return str(found)


def check_rate(sampling_rate_hz: float | None) -> None:
    """Refuse a sampling rate that the caller gave and that can be none."""
    if sampling_rate_hz is not None and not 1.0 <= sampling_rate_hz <= MOST_SAMPLES_PER_S:
        between = f"between 1 and {MOST_SAMPLES_PER_S:g} Hz"
        raise SpikeTrainError(f"The sampling rate is {sampling_rate_hz} Hz; it must lie {between}.")


def _number(text: str) -> float:
    text = text.translate(_SUPERSCRIPTS).replace(",", ".").replace(" ", "").lower()
    power = re.fullmatch(r"10(?:\^|\*\*|e)?[({]?([+-]\d+)[)}]?", text)
    if power:
        return 10.0 ** max(min(int(power[1]), 30), -30)
    if text.startswith("1/"):
        return 1.0 / max(float(text[2:]), 1e-30)
    return float(text)


def shown_unit(unit: str) -> str:
    """The unit as it is written for people: "µs" for "us"."""
    return unit.replace("us", "µs")


def ms_per_unit(unit: str, sampling_rate_hz: float | None = None) -> float:
    """How many ms a unit, as `canonical_unit` gives it, is long; samples need their rate."""
    if unit == SAMPLES:
        assert sampling_rate_hz is not None
        return 1000.0 / sampling_rate_hz
    number, _, word = unit.rpartition(" ")
    return _MS[word] * float(number or 1.0)


def to_ms(times: FloatArray, unit: str, sampling_rate_hz: float | None = None) -> FloatArray:
    """Times in ms from times in `unit`."""
    if unit == SAMPLES:
        assert sampling_rate_hz is not None
        return times / sampling_rate_hz * 1000.0
    factor = ms_per_unit(unit)
    # A thousandth is no binary number: dividing by a thousand is exact where multiplying is not.
    with np.errstate(over="ignore"):  # what is too far away is refused by whoever asked
        return times * factor if factor >= 1.0 else times / round(1.0 / factor, 9)


def unit_from_name(name: str) -> tuple[str, str | None]:
    """Split a column name into its stem and its unit.

    Parameters
    ----------
    name : str
        For example "time_ms", "t (s)", "time_10us" or "spikes".

    Returns
    -------
    (str, str or None)
        ("time", "ms"), ("t", "s"), ("time", "0.01 ms") and ("spikes", None) for the examples above. A unit in
        brackets that is not understood is returned as it stands, behind a question mark: "?lightyears".
    """
    name = name.translate(_FULL_WIDTH).strip()
    if len(name) > LONGEST_NAME:
        return name, None
    if _CLOCK_FORMAT.search(name):
        return name, None
    bracketed = _IN_BRACKETS.match(name)
    inside = bracketed["unit"].strip() if bracketed is not None else ""
    if bracketed is not None and (unit := canonical_unit(inside)) is not None:
        if re.search(r"[*/×]\s*\d", bracketed["stem"]):
            return bracketed["stem"].strip(" _"), f"?{name}"  # time*1e4 (s)
        return _less_in(bracketed["stem"]), unit
    before = re.fullmatch(r"(ms|us|µs|ns)[\s_](times?|timestamps?|spike_?times?)", name, re.IGNORECASE)
    if before is not None:
        return before[2], canonical_unit(before[1])
    match = _IN_NAME.match(name)
    if match is not None and (unit := canonical_unit(match["unit"])) is not None:
        stem = _less_in(match["stem"] or "")
        # "neuron S" and "0h" name no unit, and "stim_500ms" a stimulus.
        # Nor do "1 s" and "t=300 s", which are durations.
        odd = match["unit"] in ("S", "H") or (
            (unit in ("h", "min") or match["unit"] == "с") and not _of_time(stem)
        )
        odd = odd or re.search(r"(?:^|=)\s*[\d.]+$", stem) is not None
        if not odd and (match["number"] is None or _of_time(stem)):
            return stem, unit
    if bracketed is not None:
        # "time (rel. to stimulus)" names no unit; a single word or a number with a word does.
        named = re.fullmatch(r"[\d.,eE^⁻\-*x× ]*[^\W\d_]+\.?", inside)
        unknown = named and _of_time(bracketed["stem"])
        if not named and _of_time(bracketed["stem"]) and _SCALED.search(inside):
            unknown = True
        return bracketed["stem"].strip(" _"), f"?{inside}" if unknown else None
    if len(name) <= 30 and _of_time(name) and (scaled := _SCALED.search(name.replace("_", " "))):
        return name, f"?{scaled[0]}"
    return name, None


def _of_time(stem: str) -> bool:
    return not stem or _TIME_WORD.search(stem.lower()) is not None


def _less_in(stem: str) -> str:
    return re.sub(r"[\s_]+(?:in|en|w|в)$", "", stem.strip(" _"), flags=re.IGNORECASE)


def unit_from_comments(lines: Iterable[str]) -> tuple[str, str] | None:
    """Unit of the times that a comment line states, with that line; None when none does.

    Understood are ``unit: ms``, ``time unit: 100 microseconds``, ``times in samples at 30 kHz`` and the like.
    A unit that is stated and not understood is returned with a question mark before it.
    """
    lines = [line[:LONGEST_LINE].strip().strip('"') for line in lines]
    for line in lines:
        parts = [line, *re.split(r"[;,]\s", line)]
        stated = _UNIT_IS.match(line)
        if stated:
            words = re.split(r"[,;)\]]|\s(?:at|@|from|since)\s", stated[2].strip(" ([\"'"))[0].strip()
            unit = canonical_unit(words) or canonical_unit(words.split(" ")[0])
            # "unit: CA1_3" names a neuron, "unit: jiffies" a unit that no one knows.
            if unit or "time" in stated["what"].lower() or re.fullmatch(r"[a-zµ]{2,}", words):
                return unit or f"?{words}", line
        for part in parts:
            found = _TIMES_IN.match(part) or _TIMES_BRACKETED.match(part) or _TIMES_THEN.match(part)
            if found and (unit := canonical_unit(found["unit"])):
                return unit, line
            odd = _ODD_UNIT.match(part)
            if odd and canonical_unit(odd["unit"]) is None:
                return f"?{odd['unit']}", line
    for line in lines:
        scaled = _SCALE_SAID.search(line) or (
            _SCALED.search(line) if re.search(r"\btimes?\b", line, re.I) else None
        )
        if scaled and "hz" not in scaled[0].lower():
            return f"?{scaled[0]}", line
    return None


def unit_from_intervals(trains: Iterable[FloatArray]) -> tuple[str, str]:
    """Guess the unit from the intervals of all trains.

    Parameters
    ----------
    trains : iterable of ndarray, each of shape (n,)
        Times as they stand in the file, in any order.

    Returns
    -------
    (str, str)
        The unit, "s", "ms" or "us", and the reason in words.

    Notes
    -----
    The unit is the one that puts the median interval between 2 ms and 2 s (0.5 to 500 Hz). Two exceptions:
    where this says ms, but over 1 % of the intervals would be shorter than 0.5 ms, the median would be 10 ms
    or less and the whole recording 5 s or less, it is a slow train in seconds; where it says µs, but the
    times are not whole numbers or some interval would be shorter than 0.5 ms, it is a slow train in ms,
    unless the median would be over a minute.
    """
    arrays = [np.unique(times) for times in trains]
    gaps = [np.diff(times) for times in arrays if times.size > 1]
    if not gaps:
        return "ms", "ms assumed, since no train has two spikes to judge by"
    isi = np.sort(np.concatenate(gaps))
    median, low = float(np.median(isi)), float(isi[(isi.size - 1) // 100])
    if median < _SHORTEST_MEDIAN_MS:
        unit = "s"
    elif median < _LONGEST_MEDIAN_MS:
        span = max(float(times[-1]) for times in arrays if times.size) - min(
            float(times[0]) for times in arrays if times.size
        )
        slow = low < REFRACTORY_MS and median <= _SLOW_MEDIAN_S and span <= _SLOW_SPAN_S
        unit = "s" if slow else "ms"
    else:
        whole = all(np.array_equal(times, np.rint(times)) for times in arrays)
        fast = (whole and isi[0] >= 1000.0 * REFRACTORY_MS) or median > _SLOWEST_MEDIAN_MS
        unit = "us" if fast else "ms"
    rate = 1000.0 / float(to_ms(np.array(median), unit))
    return unit, (
        f"{shown_unit(unit)} assumed from the intervals: their median is {median:.4g}, "
        f"which as {shown_unit(unit)} is a rate of {rate:.3g} Hz"
    )
