"""The conformance suite: hold a gradient, of any library, to the promises."""

from ..testing._adapters import functions_of, gradient_of
from ..testing._arrays import NotApplicable
from ..testing._checks import checks
from ..testing._running import Verdict, parametrize_with_checks, run_checks

__all__ = [
    "NotApplicable",
    "Verdict",
    "checks",
    "functions_of",
    "gradient_of",
    "parametrize_with_checks",
    "run_checks",
]

for _name in __all__:
    if _name != "checks":
        globals()[_name].__module__ = __name__
del _name
