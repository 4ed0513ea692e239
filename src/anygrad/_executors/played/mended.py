"""Masked derivatives and sums of them, block by block.

Each term of a block is made and mended while that is in the cache, and what they are
together is rounded once to where it belongs: there is no array of a whole term, nor of
a result that is not rounded yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from ... import _agnostic, _workers
from ..._records import Plan, of_valid, unrounded
from ..memory import in_order_of_memory, layout_of, order_of_memory
from . import forms
from .blocks import cut_into_blocks
from .masked import Mender
from .pieces import player
from .preparing import keep, kept_by, most_points, prepared, shares_weights
from .scores import Term, operands_of

if TYPE_CHECKING:
    from ..._records import Task
    from .blocks import Block
    from .operations import InPlaceOps
    from .scores import Score

#: A block has no more points: there are dozens of arrays of bools of its size.
MOST_POINTS = 2**18

#: On one thread, blocks may be so many times as large as others: to mend one takes some
#: 200 operations, which on fewer points take longer than what leaves the cache
#: meanwhile.
MOST_LARGER = 4

#: The number of a block, and where it is.
Place: TypeAlias = "tuple[int, tuple[slice, ...]]"


def write_sum(f: Any, tasks: Sequence[Task], out: Any, ops: InPlaceOps) -> None:
    """Write a masked derivative with what is added to it."""
    if ops.block_bytes is None:
        (out[...],) = _agnostic.run(f, Plan(tuple(tasks)), ops.namespace)
    elif 0 not in out.shape:
        terms = [_term(f, task, out, ops) for task in tasks]
        out = ops.memory.transpose(out, order_of_memory(out, ops.memory))
        places = enumerate(_prepare(terms, out))
        ops.for_each(partial(_write_block, terms, out, ops), places)


def _term(f: Any, task: Task, out: Any, ops: InPlaceOps) -> _Mended:
    """Return a term, as it is made."""
    task, sign = unrounded(task), task.sign
    if task.inner is not None:
        inner = unrounded(task.inner)
        where = _agnostic.known(f.shape, task.inner, ops.namespace)
        like = _agnostic.component(f, inner)
        between = ops.empty_like(like, dtype=inner.precision.result)
        write_sum(f, (inner,), between, ops)
        f, task = between, task._replace(inner=None, where=where)
    f = _agnostic.component(f, task)
    task = task._replace(component=None, sign=0)
    f, (task,), (out,) = in_order_of_memory(f, [task], [out], ops.memory)
    return _Mended(f, task, sign, out, ops)


class _Mended:
    """A term that is made as if all samples were valid, and mended.

    It is in the order of memory of what it is a term of.
    """

    def __init__(
        self, f: Any, task: Task, sign: int, out: Any, ops: InPlaceOps
    ) -> None:
        self.f, self.sign, self.ops = f, sign, ops
        self.dtype = task.precision.result
        #: All of it, to be mended; None where it is made block by block.
        self.values: Any = None
        first = of_valid(task, "mended")
        self.kept = first.kept
        if not (ops.memory.is_contiguous(f) and ops.memory.is_contiguous(out)):
            self.kept = first.kept and first.kept.beside(layout_of(f, out, ops.memory))
        #: What masks tell is kept beside it.
        holes = self.kept and self.kept.beside("holes")
        self.mender = Mender(f, task, holes, ops)
        #: Its blocks; None until they are prepared.
        self.known = kept_by(ops, self.kept)
        if self.known is None:
            self.term = Term(first, shares_weights(out, first, ops))
        else:
            self.term = Term(first, *self.known.shares_weights)

    def operands(self) -> list[Any]:
        return [self.f, *operands_of([self.term], self.ops)]

    def prepare(self, score: Score, cut: Sequence[Block], out: Any) -> None:
        """Have it made in these blocks."""
        terms, operands = [self.term], self.operands()
        self.known = prepared(score, operands, terms, out, self.ops, cut)
        keep(self.known, self.kept)

    def make_all(self) -> None:
        """Have it made at once."""
        plan = Plan((self.term.task,))
        (self.values,) = _agnostic.run(self.f, plan, self.ops.namespace)

    def start(self) -> None:
        """Be ready to write blocks."""
        if self.values is None and self.known is not None:
            self.write = player(self.known, self.operands())
            self.pieces = self.known.pieces

    def fill(self, place: Place, block: Any) -> None:
        """Write one of its blocks."""
        number, target = place
        if self.values is None:
            self.write(self.pieces[number], block)
        else:
            block[...] = self.values[target]
        self.mender.mend(target, block)


def _prepare(terms: Sequence[_Mended], out: Any) -> list[tuple[slice, ...]]:
    """Have all terms made in the same blocks, and return the places of these."""
    new = [one for one in terms if one.known is None]
    scores = [
        forms.score_unless_new(one.f, [one.term], one.ops.namespace) for one in new
    ]
    known = next((one.known for one in terms if one.known is not None), None)
    recorded = [score for score in scores if score is not None]
    if len(recorded) < len(new):
        for one in terms:
            one.make_all()
        new, recorded, known = [], [], None
    if known is None:
        cut = _cut(new, recorded, out)
    else:
        cut = [tuple([(s.start, s.stop) for s in p.target]) for p in known.pieces]
    for one, score in zip(new, recorded, strict=True):
        one.prepare(score, cut, out)
    for one in terms:
        one.start()
    return [tuple([slice(*extent) for extent in block]) for block in cut]


def _cut(terms: Sequence[_Mended], scores: Sequence[Score], out: Any) -> list[Block]:
    """Return blocks for all terms that are recorded."""
    limits = [most_points(one.f, [one.term], one.ops) for one in terms]
    larger = max(MOST_LARGER // _workers.get_workers(), 1)
    limit = min([MOST_POINTS, *[most * larger for most in filter(None, limits)]])
    ends = zip([(0, 0)] * out.ndim, *[score.edges for score in scores], strict=True)
    edges = [tuple(map(max, zip(*own, strict=True))) for own in ends]
    return list(cut_into_blocks(tuple(out.shape), edges, limit))


def _write_block(
    terms: Sequence[_Mended], out: Any, ops: InPlaceOps, place: Place
) -> None:
    """Write a block of a sum."""
    target = out[place[1]]
    total: Any = None
    for term in terms:
        is_placed = total is None and term.dtype == target.dtype
        block = target if is_placed else _empty(target, term.dtype, ops)
        term.fill(place, block)
        if total is None:
            total = block
            continue
        add = ops.verbs["add" if term.sign > 0 else "subtract"]
        # Of integers, only what a complex step divides is complex.
        fits = block.dtype == total.dtype
        total = add(total, block, out=total) if fits else add(total, block)
        if ops.scratch is not None:
            ops.scratch.give(block)
    if total is not target:
        target[...] = total
        if ops.scratch is not None:
            ops.scratch.give(total)


def _empty(block: Any, dtype: Any, ops: InPlaceOps) -> Any:
    """Return memory for a term of a block."""
    make = ops.empty_like if ops.scratch is None else ops.scratch.take
    return make(block, dtype=dtype, shape=tuple(block.shape))
