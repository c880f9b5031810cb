"""What the name of a column says it holds."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from .units import SAMPLES, canonical_unit, unit_from_name

__all__ = [
    "EVENTS",
    "Role",
    "is_signal_name",
    "named_unit",
    "names_cells",
    "names_events",
    "names_time",
    "role_of",
    "same_name",
    "says_nothing",
    "vocabulary",
    "words_of",
]

Role: TypeAlias = Literal["time", "id", "trial", "interval", "attribute", "counter", ""]


def vocabulary(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())


_IDS: Final = vocabulary(
    "neuron cell unit train spiketrain electrode elec channel chan ch chn cluster clu clust template "
    "assign assignment recording rec sender source node nid gid id ids uid uids cid cids clusterid "
    "unitid cellid neuronid spkid cluid tetrode tt shank probe well session subject animal mouse rat monkey "
    "fish patient participant file filename experiment exp expt slice preparation prep population pop "
    "celltype region area_name label name code class cls site entity roi mea culture dish plate hemisphere "
    "side layer zelle zellen kanal einheit cellule canal canale unité neurona neurono célula cella unidad "
    "neurone neurônio unità cel komórka kanał "
    "нейрон клетка канал ニューロン 細胞 单元 神经元 チャンネル 電極 电极 通道"
)
_TRIALS: Final = vocabulary(
    "trial member sweep trace repeat repetition rep segment seg block epoch episode run condition cond "
    "day date lap bout pass stimulus stim presentation iteration realization realisation"
)
_TIMES: Final = vocabulary(
    "t time timestamp timestep ts st spkt spiketime spiketimes spiketimestamp sample frame tick zeit zeiten "
    "zeitpunkt temps tiempo tiempos tempo tempi tijd tijden instant czas время 時刻 時間 时间 时刻"
)
# Words for the spikes themselves: alone they name the times, beside others they only say whose.
_SPIKES: Final = vocabulary("spike spk spiking firing event sp ap actionpotential potential discharge")
_BESIDE_TIMES: Final = vocabulary(
    "start peak onset list train array vector vec abs absolute rel relative of the all sorted raw index "
    "number idx no nr num rec recording session corrected aligned step in within since from after"
)
_INTERVALS: Final = vocabulary(
    "isi isis interval intervals interspike iei ieis ibi ici iti intervall intervalle intervalo intervallo "
    "zwischenspikeintervall interspikeintervall 間隔 间隔 интервал"
)
_ATTRIBUTES: Final = vocabulary(
    "amplitude amp ampl peak height width snr area rise decay quality score energy depth x y z v vm mv "
    "uv pa na phase value val waveform wave wf pc pca fet feature noise in is has confidence probability "
    "prob sd std mean max min fwhm duration dur burst slope baseline threshold thr speed position pos "
    "temperature temp angle contrast half current voltage volt membrane signal flag valid accepted "
    "outlier trough valley ratio distance dist count rate frequency freq power level isolation "
    "contamination lratio rms error residual charge capacitance resistance weight on off corr "
    "correlation lag density hist histogram bin reward lick ttl laser sum total average avg adc raw "
    "lfp eeg emg ecg dauer durée duración durata höhe hauteur amplitud ampiezza amplituda breite largeur "
    "fläche aire strom courant tension spannung fréquence frequenz frecuencia амплитуда напряжение ток "
    "частота 振幅 幅度 電圧 电压 電流 电流 周波数 频率"
)
_OF_TRIALS: Final = vocabulary("dir direction type kind length phase")
_COUNTING: Final = vocabulary("no nr num number index idx row n event spike unnamed item entry")

_FEATURE: Final = re.compile(r"(?:pc|pca|wave|wf|fet|feature|amp|peak|energy)\d+")  # PC3, Wave12

EVENTS: Final = vocabulary(
    "ttl keyboard kbd digmark trigger trig sync stim stimulus lick reward laser led pulse marker strobe "
    "strobed evt"
)
"""Words for what lies beside spikes in a file: triggers, stimuli, behaviour."""
_OF_CELLS: Final = re.compile(r"(?:sp(?:i)?k|sig\d|unit|cell|neuron|clu)", re.IGNORECASE)

_STEPS: Final = frozenset({"step", "timestep"})
_SIGNAL: Final = re.compile(
    r"v|vm|i|x|y|volt.*|v_.*|potential|membrane.*|current|amp.*|values?|signal|mv|pa|na"
)


def words_of(name: str) -> list[str]:
    """Words of a name in small letters and the singular: ``spikeTimes`` gives ``["spike", "time"]``."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip())
    words = re.split(r"(?:[^\w#]|_)+", parted.lower())
    return [_singular(word) for word in words if word]


def _singular(word: str) -> str:
    if word in _TIMES:
        return word
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def named_unit(name: str) -> str | None:
    """Unit of the times that a name gives; "samples" also for names such as ``sample_index``."""
    stem, unit = unit_from_name(name)
    if unit is not None:
        return unit
    words = words_of(stem)
    steps = _STEPS & set(words) and set(words) <= _STEPS | {"time", "spike", "index"}
    counted = any(canonical_unit(word) == SAMPLES for word in words if len(word) > 3)
    return SAMPLES if steps or counted else None


def role_of(name: str) -> Role:
    """What a column of this name holds, as far as the name tells; "" where it does not.

    Examples
    --------
    >>> [role_of(name) for name in ("spike_time_s", "Channel Label", "Trial #", "isi_ms", "peak", "#")]
    ['time', 'id', 'trial', 'interval', 'attribute', 'counter']
    """
    stem, unit = unit_from_name(name)
    if not stem.strip():
        return "time" if unit is not None and not unit.startswith("?") else ""
    words = words_of(name if unit == SAMPLES else stem)
    if not words or words == ["#"]:
        return "counter"
    known = {word for word in words if not word.isdigit()} or set(words)
    if known & _INTERVALS or {"inter", "spike"} <= known:
        return "interval"
    if _is_time(known):
        return "time"
    if known & _TRIALS and not known & (_ATTRIBUTES | _OF_TRIALS) - {"is", "in"}:
        return "trial"
    if known & {"count", "counts"} or ("n" in known and len(known) > 1):
        return "attribute"
    if known <= _COUNTING | {"#", "0", "id"} and not known <= _SPIKES and known != {"id"}:
        return "counter"
    if known & _ATTRIBUTES or any(_FEATURE.fullmatch(word) for word in known):
        return "attribute"
    if any(word.rstrip("0123456789") in _IDS for word in words):
        return "id"
    if len(words) > 1 and words[-1] in {"id", "gid"}:
        return "id"
    return ""


def _is_time(words: set[str]) -> bool:
    if words & {"time", "timestamp"}:
        return words <= _TIMES | _SPIKES | _BESIDE_TIMES | _IDS | _TRIALS
    if words & _TIMES:
        return words <= _TIMES | _SPIKES | _BESIDE_TIMES
    if words & _SPIKES:
        return words <= _SPIKES | {"list", "train", "array", "start", "peak", "onset"}
    return False


def names_time(name: str) -> bool:
    """Whether a name speaks of time itself, rather than of spikes: "time" and "t (s)", not "spikes"."""
    return role_of(name) == "time" and not set(words_of(unit_from_name(name)[0])) <= _SPIKES


def names_events(name: str) -> bool:
    """Whether a name speaks of triggers or stimuli, and not of spikes or cells: "TTL", "stim_times"."""
    events = any(word.rstrip("0123456789") in EVENTS for word in words_of(name))
    return events and _OF_CELLS.search(name) is None


def names_cells(name: str) -> bool:
    """Whether a name speaks of spikes or cells: "spike_times", "unit1", "SPK01a"."""
    return _OF_CELLS.search(name) is not None


def is_signal_name(name: str) -> bool:
    """Whether a column of this name holds a measured quantity rather than ids."""
    return _SIGNAL.fullmatch(re.sub(r"[\s.\-]+", "_", name.strip().lower())) is not None


def says_nothing(name: str) -> bool:
    """Whether a name is what R, MATLAB and pandas write above a vector that has none."""
    return name.strip().strip('"').lower() in {"x", "v1", "var1", "0", "value", "values", "data"}


def same_name(one: str, other: str) -> bool:
    """Whether two names differ at most in blanks around them and in capitals."""
    return one.strip().casefold() == other.strip().casefold()
