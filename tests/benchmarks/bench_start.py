"""How long the first simulation takes in a fresh process: compiled anew, and from the cache of compiled code.

python tests/benchmarks/bench_start.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

CODE = """
import time
begin = time.perf_counter()
from spike2pop_nb.simulation import needs_compiling, simulate
ready = time.perf_counter()
announced = needs_compiling()
simulate([[5460.8, 56.9, 3.7, 11.0, 134.9, 289.9, 0.27, 0.0084]], "stg", duration_ms=1.0, transient_ms=0.0)
print(f"import {ready - begin:.1f} s, first simulation {time.perf_counter() - ready:.1f} s, "
      f"said to need compiling: {announced}")
"""


def main() -> None:
    """Run the same code twice with an empty cache of its own."""
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as cache:
        for when in ("first start ", "second start"):
            run = subprocess.run(
                [sys.executable, "-c", CODE],
                env=os.environ | {"NUMBA_CACHE_DIR": cache},
                capture_output=True,
                text=True,
                check=True,
            )
            print(when, run.stdout.strip())


if __name__ == "__main__":
    main()
