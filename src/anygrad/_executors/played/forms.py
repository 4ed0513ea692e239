"""What has been recorded, by the forms of calls, which hold no length and no value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._kept import remember
from ..._precision import is_complex, working
from . import scores

if TYPE_CHECKING:
    from ..._typing import Namespace
    from .scores import Score, Term

#: The agnostic run on so few samples takes less time than to record it, so it is what
#: the first call of a form gets: there may be no other.
MOST_UNRECORDED = 2**17

_scores: dict[Any, Score] = {}

#: The forms of small calls that have been met, and are not recorded yet.
_met: dict[Any, None] = {}


def score_of(f: Any, terms: Sequence[Term], xp: Namespace) -> Score:
    """Return the recording of a form."""
    form = _form_of(f, terms, xp)
    score = _scores.get(form)
    return _recorded(form, f, terms, xp) if score is None else score


def score_unless_first(f: Any, terms: Sequence[Term], xp: Namespace) -> Score | None:
    """Return it; None where few samples have a form that has not been met."""
    form = _form_of(f, terms, xp)
    score = _scores.get(form)
    if score is not None:
        return score
    is_few = math.prod(f.shape) <= MOST_UNRECORDED
    # Where one part is infinite or NaN, so is the other of its product with a real
    # number; a recording has no such product with one, now or in a later call.
    if form in _met or not is_few or is_complex(working(terms[0].task.precision), xp):
        return _recorded(form, f, terms, xp)
    remember(_met, form, None)
    return None


def _form_of(f: Any, terms: Sequence[Term], xp: Namespace) -> Any:
    return xp, f.dtype, f.ndim, tuple([term.form for term in terms])


def _recorded(form: Any, f: Any, terms: Sequence[Term], xp: Namespace) -> Score:
    return remember(_scores, form, scores.record(f, terms, xp))
