# Sourced by postBuild and start: code compiled at build is found again only under the same settings.
export NUMBA_CACHE_DIR="${NB_PYTHON_PREFIX:?names the environment of the notebooks}/var/numba"
# The machine that builds is not the machine that runs.
export NUMBA_CPU_NAME=generic
# A container sees every core of its host and owns a fraction of one; each thread would cost memory.
export OMP_NUM_THREADS=1
