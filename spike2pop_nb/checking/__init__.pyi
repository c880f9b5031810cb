from .check import Check as Check
from .check import Checks as Checks
from .everything import selfcheck as selfcheck
