"""What has been recorded, by the forms of calls, which hold no length and no value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._kept import Met, remember
from ..._precision import is_complex, working
from ..._records import candidates
from . import scores

if TYPE_CHECKING:
    from ..._typing import Namespace
    from .scores import Score, Term

#: The agnostic run on so few samples takes less time than to record it, so it is what
#: the first call of a form gets: there may be no other.
MOST_UNRECORDED = 2**17

#: Where formulas have many more points together, further calls are: those beside holes
#: on coordinates may take a hundred times as long to record, up to ten seconds.
FEW_POINTS = 2**7

#: So many samples take about as long as to call the operations on them.
FEW_SAMPLES = 2**10

_scores: dict[Any, Score] = {}

#: How often forms of small calls have been met that are not recorded yet.
_met = Met()


def score_of(f: Any, terms: Sequence[Term], xp: Namespace) -> Score:
    """Return the recording of a form."""
    form = _form_of(f, terms, xp)
    score = _scores.get(form)
    return _recorded(form, f, terms, xp) if score is None else score


def score_unless_new(f: Any, terms: Sequence[Term], xp: Namespace) -> Score | None:
    """Return it; None where few samples have a form that has not been met often."""
    form = _form_of(f, terms, xp)
    score = _scores.get(form)
    if score is not None:
        return score
    often = 1 + runs_before(terms, math.prod(f.shape), xp)
    return _recorded(form, f, terms, xp) if _met.is_often(form, often) else None


def runs_before(terms: Sequence[Term], samples: int, xp: Namespace) -> int:
    """Return how many calls of a form get the agnostic run before it is recorded."""
    # Where one part is infinite or NaN, so is the other of its product with a real
    # number; a recording has no such product with one, now or in a later call.
    is_told_apart = is_complex(working(terms[0].task.precision), xp)
    if is_told_apart or samples > MOST_UNRECORDED:
        return 0
    return 1 + _points(terms) // (FEW_POINTS * (1 + samples // FEW_SAMPLES))


def _points(terms: Sequence[Term]) -> int:
    """Return how many points all formulas have, or pairs of them on coordinates."""
    count = 0
    for task, shares_weights in terms:
        has_pairs = task.coordinates is not None and not shares_weights
        for candidate in candidates(task):
            for formula in candidate.scheme.formulas:
                points = len(formula.offsets)
                count += points**2 if has_pairs else points
    return count


def _form_of(f: Any, terms: Sequence[Term], xp: Namespace) -> Any:
    return xp, f.dtype, f.ndim, tuple([term.form for term in terms])


def _recorded(form: Any, f: Any, terms: Sequence[Term], xp: Namespace) -> Score:
    return remember(_scores, form, scores.record(f, terms, xp))
