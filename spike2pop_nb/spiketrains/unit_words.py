"""Words for units of time, in the languages that laboratories write them in."""

from __future__ import annotations

from typing import Final

__all__ = ["SAMPLES", "UNIT_WORDS"]

SAMPLES: Final = "samples"
"""The unit of times that count samples; it takes a sampling rate to know how long they are."""

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

UNIT_WORDS: Final[dict[str, str]] = {
    **{prefix + word: unit for prefix, unit in _PREFIXES.items() for word in _SECONDS.split()},
    **{word: unit for unit, words in _WORDS.items() for word in words.split()},
}
"""The unit for each word that names one, in small letters."""
