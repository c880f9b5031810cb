"""The papers that the methods text cites."""

from __future__ import annotations

__all__ = [
    "BEAUMONT",
    "BRANDOIT",
    "BROYDEN",
    "CHEN",
    "CORNUET",
    "CRANMER",
    "DRION",
    "FYON",
    "KUNSCH",
    "NWB",
    "PRINZ",
    "RTXI",
    "SISSON",
    "STORN",
    "VAN_ROSSUM",
    "ZHANG",
]

BRANDOIT = (
    "Brandoit J, Ernst D, Drion G, Fyon A (2026) Fast reconstruction of degenerate populations of "
    "conductance-based neuron models from spike times. PLOS Comput Biol. doi:10.1371/journal.pcbi.1014337"
)
DRION = (
    "Drion G, Franci A, Dethier J, Sepulchre R (2015) Dynamic input conductances shape neuronal spiking. "
    "eNeuro 2(1). doi:10.1523/ENEURO.0031-14.2015"
)
FYON = (
    "Fyon A, Franci A, Sacré P, Drion G (2024) Dimensionality reduction of neuronal degeneracy reveals two "
    "interfering physiological mechanisms. PNAS Nexus 3:pgae415. doi:10.1093/pnasnexus/pgae415"
)
VAN_ROSSUM = (
    "van Rossum MCW (2001) A novel spike distance. Neural Comput 13:751–763. doi:10.1162/089976601300014321"
)
CHEN = (
    "Chen Y, Oliver DS (2013) Levenberg–Marquardt forms of the iterative ensemble smoother for efficient "
    "history matching and uncertainty quantification. Comput Geosci 17:689–703. "
    "doi:10.1007/s10596-013-9351-5"
)
CRANMER = (
    "Cranmer K, Brehmer J, Louppe G (2020) The frontier of simulation-based inference. Proc Natl Acad Sci "
    "USA 117:30055–30062. doi:10.1073/pnas.1912789117"
)
BROYDEN = (
    "Broyden CG (1965) A class of methods for solving nonlinear simultaneous equations. Math Comput "
    "19:577–593. doi:10.1090/S0025-5718-1965-0198670-6"
)
KUNSCH = (
    "Künsch HR (1989) The jackknife and the bootstrap for general stationary observations. Ann Stat "
    "17:1217–1241. doi:10.1214/aos/1176347265"
)
PRINZ = (
    "Prinz AA, Bucher D, Marder E (2004) Similar network activity from disparate circuit parameters. Nat "
    "Neurosci 7:1345–1352. doi:10.1038/nn1352"
)
STORN = (
    "Storn R, Price K (1997) Differential evolution: a simple and efficient heuristic for global "
    "optimization over continuous spaces. J Glob Optim 11:341–359. doi:10.1023/A:1008202821328"
)
ZHANG = (
    "Zhang J, Sanderson AC (2009) JADE: adaptive differential evolution with optional external archive. IEEE "
    "Trans Evol Comput 13:945–958. doi:10.1109/TEVC.2009.2014613"
)
RTXI = (
    "Patel YA, George A, Dorval AD, White JA, Christini DJ, Butera RJ (2017) Hard real-time closed-loop "
    "electrophysiology with the Real-Time eXperiment Interface (RTXI). PLOS Comput Biol 13:e1005430. "
    "doi:10.1371/journal.pcbi.1005430"
)
NWB = (
    "Rübel O, Tritt A, Ly R, Dichter BK, Ghosh S, Niu L, et al. (2022) The Neurodata Without Borders "
    "ecosystem for neurophysiological data science. eLife 11:e78362. doi:10.7554/eLife.78362"
)
BEAUMONT = (
    "Beaumont MA, Cornuet J-M, Marin J-M, Robert CP (2009) Adaptive approximate Bayesian computation. "
    "Biometrika 96:983–990. doi:10.1093/biomet/asp052"
)
CORNUET = (
    "Cornuet J-M, Marin J-M, Mira A, Robert CP (2012) Adaptive multiple importance sampling. Scand J Stat "
    "39:798–812. doi:10.1111/j.1467-9469.2011.00756.x"
)
SISSON = (
    "Sisson SA, Fan Y, Beaumont MA (2018) Overview of approximate Bayesian computation. In: Handbook of "
    "approximate Bayesian computation, 3–54. CRC Press. doi:10.1201/9781315117195"
)
