"""A dynamic clamp as plugins of RTXI, of its versions 2 and 3, around the same C header."""

from __future__ import annotations

from spike2pop_nb.export.clamp.for_c import clamp_name, said_in_code
from spike2pop_nb.export.clamp.model import Clamp
from spike2pop_nb.export.simulators.scripts import filled

__all__ = ["LIMIT_PA", "rtxi_files"]

LIMIT_PA = 10_000.0
"""More than this is not injected, unless the user of the plugin says so."""


def rtxi_files(clamp: Clamp, header: str, about: list[str]) -> dict[str, str]:
    """Return the files of both plugins by their paths, each in a folder with the text of the C header.

    ``about`` are lines that say where it comes from.
    """
    name = clamp_name(clamp)
    values = {
        "name": name,
        "plugin": "".join(word[:1].upper() + word[1:] for word in name.split("_")),
        "what": said_in_code(clamp.describe()),
        "capacitance_pF": 0.0 if clamp.capacitance_pF is None else float(clamp.capacitance_pF),
        "limit_pA": LIMIT_PA,
        "V_initial": repr(float(clamp.neuron.V_initial_mV)),
    }
    templates = {
        f"rtxi2/{name}_rtxi.h": "rtxi2.h",
        f"rtxi2/{name}_rtxi.cpp": "rtxi2.cpp",
        "rtxi2/Makefile": "rtxi2.mk",
        f"rtxi3/{name}_rtxi.hpp": "rtxi3.hpp",
        f"rtxi3/{name}_rtxi.cpp": "rtxi3.cpp",
        "rtxi3/CMakeLists.txt": "rtxi3.cmake",
    }
    about = [said_in_code(line) for line in about]
    made = {path: filled(template, clamp.neuron, about, **values) for path, template in templates.items()}
    return {**made, f"rtxi2/{name}.h": header, f"rtxi3/{name}.h": header}
