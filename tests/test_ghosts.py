"""Blocks with ghosts: how many these are, and that the bits are those of the whole."""

from __future__ import annotations

import itertools
import math
import pickle
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

import anygrad
from backends import Backend

SHAPE = (13, 11)
RNG = random.Random(15)
SAMPLES = [[[RNG.uniform(-9, 9) for _ in range(11)] for _ in range(13)] for _ in "ab"]
MASK = [[RNG.random() > 0.15 for _ in range(11)] for _ in range(13)]

#: The coordinates of the points along each dim, and those of each point.
LINES = [list(itertools.accumulate(RNG.uniform(1, 2) for _ in range(n))) for n in SHAPE]
PER_POINT = [
    [[a * (1 + j / 32) for j in range(11)] for a in LINES[0]],
    [[b * (1 + i / 32) for b in LINES[1]] for i in range(13)],
]
SPACINGS = {"unit": [1, 1], "step": [0.3, -2], "lines": LINES, "points": PER_POINT}

#: Functions, their keywords, and what they are called on.
CALLS: dict[str, tuple[str, dict[str, Any], str]] = {
    "gradient": ("gradient", {}, "unit"),
    "steps": ("gradient", {"edge_order": 2}, "step"),
    "lines": ("gradient", {"accuracy": 4, "edge_order": 3}, "lines"),
    "points": ("gradient", {"stack_dim": 1}, "points"),
    "missing": ("gradient", {"where": True, "edge_order": 2}, "lines"),
    "missing on a step": ("gradient", {"where": True}, "step"),
    "laplacian": ("laplacian", {"accuracy": 6, "edge_order": 1}, "step"),
    "hessian": ("hessian", {"edge_order": 1}, "points"),
    "divergence": ("divergence", {}, "step"),
    "curl": ("curl", {}, "unit"),
    "jacobian": ("jacobian", {"accuracy": 4}, "unit"),
    "scaled": ("gradient", {"scale_factors": [2.0, 0.3]}, "step"),
    "scaled laplacian": ("laplacian", {"scale_factors": [2.0, 0.3]}, "lines"),
}
OF_VECTORS = ("divergence", "curl", "jacobian")

#: Each shape is compiled anew, which takes a second: few blocks are enough.
COMPILED = ("jax", "cupy")


def cut(values: Any, *slices: slice) -> Any:
    """Return a part of nested lists; a list that is a vector is cut once."""
    first, *rest = slices
    return [cut(a, *rest) if rest else a for a in values[first]]


def blocks(length: int, least: int) -> Iterator[slice]:
    """Cut an axis into a shortest block, one of another length, and so on."""
    start = 0
    for size in itertools.cycle((least, least + 1)):
        stop = start + size if length - start - size >= least else length
        yield slice(start, stop)
        if stop == length:
            return
        start = stop


class Call:
    """A call on a whole array, and the same on its blocks."""

    def __init__(self, library: Backend, name: str) -> None:
        door, self.keywords, spacing = CALLS[name]
        self.library, self.door = library, getattr(anygrad, door)
        self.of_vectors, self.entries = door in OF_VECTORS, SPACINGS[spacing]
        others = ("stack_dim", "scale_factors")
        given = {k: v for k, v in self.keywords.items() if k not in others}
        self.halos = [
            anygrad.halo_width(self.door, spacing=self.spaced(e), **given)
            for e in self.entries
        ]

    def spaced(self, entry: Any) -> Any:
        return self.library.asarray(entry) if isinstance(entry, list) else entry

    def results(self, spans: list[slice], modes: list[Any]) -> list[Any]:
        """Return the results for a part, as nested lists."""
        library, keywords = self.library, dict(self.keywords)
        entries = [
            e
            if not isinstance(e, list)
            else cut(e, *(spans if isinstance(e[0], list) else [span]))
            for e, span in zip(self.entries, spans, strict=True)
        ]
        f = [cut(component, *spans) for component in SAMPLES]
        array = library.asarray(f if self.of_vectors else f[0])
        if self.of_vectors:
            keywords["vector_dim"] = 0
        if keywords.get("where"):
            keywords["where"] = library.asarray(cut(MASK, *spans), "bool")
        spacing = [self.spaced(e) for e in entries]
        found = self.door(array, spacing=spacing, boundary=modes, **keywords)
        several = found if isinstance(found, tuple) else (found,)
        return [library.tolist(result) for result in several]


def own(values: Any, spans: list[slice], lengths: tuple[int, ...] = SHAPE) -> Any:
    """Return a block of a result, whose new dims may stand anywhere."""
    if not lengths:
        return values
    if len(values) == lengths[0]:
        return [own(a, spans[1:], lengths[1:]) for a in values[spans[0]]]
    return [own(a, spans, lengths) for a in values]


def same(library: Backend, found: Any, wanted: Any) -> bool:
    """Tell whether numbers are the same; for JAX, whose compiler contracts, nearly."""
    if isinstance(wanted, list):
        pairs = zip(found, wanted, strict=True)
        return all(same(library, one, other) for one, other in pairs)
    if library.library == "jax":
        is_missing = math.isnan(found) and math.isnan(wanted)
        return is_missing or math.isclose(found, wanted, rel_tol=1e-4, abs_tol=1e-4)
    return repr(found) == repr(wanted)


@pytest.mark.parametrize("name", CALLS)
def test_blocks_have_the_bits_of_the_whole(library: Backend, name: str) -> None:
    """In the shortest blocks, each cut along both dims: the first, one inside, ..."""
    call = Call(library, name)
    whole = call.results([slice(0, n) for n in SHAPE], ["one_sided"] * 2)
    least = [halo.shortest_block for halo in call.halos]
    every = list(itertools.product(*map(blocks, SHAPE, least)))
    if library.library in COMPILED:
        every = every[len(every) // 2 :][:1]
    for spans in every:
        wider, modes = [], []
        for span, length, halo in zip(spans, SHAPE, call.halos, strict=True):
            first, last = span.start > 0, span.stop < length
            left, right = halo.left * first, halo.right * last
            wider.append(slice(span.start - left, span.stop + right))
            words = ("one_sided", "ghosts")
            modes.append((words[first], words[last]))
        for found, wanted in zip(call.results(wider, modes), whole, strict=True):
            assert same(library, found, own(wanted, list(spans)))


@pytest.mark.parametrize("stack_dim", [0, 1, -1])
def test_new_dims_are_not_cut(library: Backend, stack_dim: int) -> None:
    """Wherever they stand, and of whatever length."""
    f = library.asarray(SAMPLES)
    given: Any = {"dim": (1, 2), "stack_dim": stack_dim}
    whole = anygrad.hessian(f, **given)
    parts = {13: slice(3, 9), 11: slice(2, 7)}
    wanted = whole[tuple([parts.get(n, slice(None)) for n in whole.shape])]
    found = anygrad.hessian(f[:, 2:10, 1:8], boundary="ghosts", **given)
    assert found.shape == wanted.shape
    assert same(library, library.tolist(found), library.tolist(wanted))


@pytest.mark.parametrize("accuracy", [2, 6])
def test_blocks_of_a_ring(library: Backend, accuracy: int) -> None:
    """Of a periodic array, whose blocks have ghosts at either end; one point, too."""
    f, n = SAMPLES[0][0], 11
    given: Any = {"order": 2, "accuracy": accuracy}
    ring: Any = {"boundary": "periodic", **given}
    left, right, _ = anygrad.halo_width(anygrad.derivative, **ring)
    whole = library.tolist(anygrad.derivative(library.asarray(f), **ring))
    for start, stop in ((0, 4), (4, 5), (5, 11)):
        block = library.asarray([f[k % n] for k in range(start - left, stop + right)])
        found = anygrad.derivative(block, boundary="ghosts", **given)
        assert same(library, library.tolist(found), whole[start:stop])


@pytest.mark.parametrize("accuracy", [2, 4])
def test_blocks_of_a_ring_with_holes(library: Backend, accuracy: int) -> None:
    """Where samples are missing, formulas are one-sided, also around its closing."""
    f = [*SAMPLES[1][0], *SAMPLES[1][1]]
    for hole in range(len(f)):
        lost, n = {hole, (hole + 5) % len(f)}, len(f)
        valid = library.asarray([k not in lost for k in range(n)], "bool")
        given: Any = {"accuracy": accuracy}
        ring: Any = {"boundary": "periodic", "where": valid, **given}
        left, right, _ = anygrad.halo_width(anygrad.derivative, **ring)
        whole = library.tolist(anygrad.derivative(library.asarray(f), **ring))
        places = [k % n for k in range(-left, n + right)]
        found = anygrad.derivative(
            library.asarray([f[k] for k in places]),
            where=library.asarray([k not in lost for k in places], "bool"),
            boundary="ghosts",
            **given,
        )
        assert same(library, library.tolist(found), whole)


def test_torch_transforms(torch: Any) -> None:
    """Ghosts have derivatives, too; compiled without a break, it is the same call."""
    f = torch.asarray(SAMPLES[0], dtype=torch.float64)[:5, :6].requires_grad_()
    modes = ["ghosts", ("edge", "ghosts")]
    laplacian = partial(anygrad.laplacian, boundary=modes)
    assert torch.autograd.gradcheck(laplacian, (f,))
    compiled = torch.compile(
        lambda f: anygrad.hessian(f, boundary=modes), fullgraph=True, backend="eager"
    )
    wanted = anygrad.hessian(f.detach(), boundary=modes)
    assert torch.equal(compiled(f.detach()), wanted)
    assert wanted.shape == (2, 2, 3, 5)


def test_jax_transforms(jax: Any) -> None:
    """Under `jit`, and the derivative of a sum by each sample, ghosts among them."""
    f = jax.numpy.asarray(SAMPLES[0][0])
    slope = partial(anygrad.derivative, boundary="ghosts")
    assert jax.numpy.allclose(jax.jit(slope)(f), anygrad.derivative(f)[1:-1])
    weights = jax.grad(lambda f: slope(f).sum())(f)
    assert weights.tolist() == [-0.5, -0.5, *[0.0] * 7, 0.5, 0.5]


# How wide.


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("mode", ["one_sided", "reflect", 3.0])
@pytest.mark.parametrize(("order", "accuracy"), [(1, 2), (1, 6), (2, 4), (3, 2)])
def test_that_much_is_read_and_no_more(
    library: Backend, order: int, accuracy: int, mode: Any, uneven: bool
) -> None:
    """A change of the farthest sample changes the block, one of the next does not."""
    n, start, stop = 24, 10, 13
    x = library.asarray([k + k * k / 64 for k in range(n)])
    given: Any = {"order": order, "accuracy": accuracy, "boundary": mode}
    given |= {"spacing": x} if uneven else {}
    halo = anygrad.halo_width(anygrad.derivative, **given)

    def block(changed: int | None) -> Any:
        f = library.asarray([float(k == changed) + k % 3 for k in range(n)])
        return library.tolist(anygrad.derivative(f, **given))[start:stop]

    first, last = start - halo.left, stop - 1 + halo.right
    usual = block(None)
    assert block(first) != usual != block(last)
    assert block(first - 1) == usual == block(last + 1)


def test_that_much_is_read_next_to_a_hole(library: Backend) -> None:
    """A one-sided formula reads `edge_order` points, from the last one on."""
    valid = library.asarray([k != 6 for k in range(12)], "bool")
    given: Any = {"edge_order": 2, "where": valid}
    halo = anygrad.halo_width(anygrad.derivative, **given)
    assert halo.right == 2

    def last(changed: int | None) -> Any:
        f = library.asarray([float(k == changed) + k % 3 for k in range(12)])
        return library.tolist(anygrad.derivative(f, **given))[7]

    assert last(7 + halo.right) != last(None) == last(7 + halo.right + 1)


def test_the_widths() -> None:
    width = anygrad.halo_width
    assert width(anygrad.gradient) == (1, 1, 1)
    assert width(anygrad.gradient, edge_order=4) == (1, 1, 4)
    assert width(anygrad.gradient, edge_order=4, boundary="edge") == (1, 1, 1)
    assert width(anygrad.gradient, edge_order=2, where=True) == (2, 2, 2)
    assert width(anygrad.curl, accuracy=8) == (4, 4, 5)
    assert width(anygrad.hessian) == (1, 1, 3)
    assert width(anygrad.derivative, order=5, boundary=("reflect", 0)) == (3, 3, 3)
    found = width(anygrad.laplacian, edge_order=1, boundary="periodic")
    assert found._asdict() == {"left": 1, "right": 1, "shortest_block": 1}
    assert pickle.loads(pickle.dumps(found)) == found


def test_coordinates_of_second_derivatives(library: Backend) -> None:
    x = library.asarray([0.0, 1.0, 3.0])
    for spacing in (x, [x]):
        assert anygrad.halo_width(anygrad.laplacian, spacing=spacing).left == 2
    step = library.asarray([0.5], shape=(1,))[0]
    assert anygrad.halo_width(anygrad.laplacian, spacing=step).left == 1


# What is refused.


@pytest.mark.parametrize(
    ("keywords", "error", "text"),
    [
        ({"boundary": "ghosts"}, ValueError, "`boundary` must be that of the whole"),
        ({"boundary": ["edge"]}, TypeError, "`boundary` must be one mode or a pair"),
        ({"order": 2}, TypeError, "`order` must be left out for `gradient`. Got 2"),
        ({"order": 1.0}, TypeError, "`order` must be a positive int. Got 1.0."),
        ({"order": True}, TypeError, "`order` must be a positive int. Got True."),
        ({"accuracy": 3}, ValueError, "`accuracy` must be an even int"),
        ({"spacing": 0}, ValueError, "`spacing` must be finite and not zero"),
        ({"where": "x"}, TypeError, "`where` must be a bool or a boolean array. Got '"),
        ({"where": [1, 0]}, TypeError, "`where` must be a bool or a boolean array. "),
        ({"function": len}, TypeError, "`function` must be one of `gradient`, `der"),
        ({"function": []}, TypeError, "`function` must be one of `gradient`, `der"),
    ],
)
def test_what_has_no_width(keywords: Any, error: type[Exception], text: str) -> None:
    function = keywords.pop("function", anygrad.gradient)
    with pytest.raises(error) as caught:
        anygrad.halo_width(function, **keywords)
    assert str(caught.value).startswith(text)


def test_blocks_that_are_too_short(library: Backend) -> None:
    """There is no point between the ghosts, or too few for the formula of an edge."""
    f = library.asarray([0.0, 1.0, 4.0, 9.0])
    text = (
        r"^`input` must have at least 5 points along `dim` -1, its ghosts among them, "
        r"for `accuracy=4`. Got shape \(4,\).$"
    )
    with pytest.raises(ValueError, match=text):
        anygrad.derivative(f, accuracy=4, boundary="ghosts")
    with pytest.raises(ValueError, match=r"^`input` must have at least 5 points"):
        anygrad.derivative(f, edge_order=4, boundary=("one_sided", "ghosts"))
    with pytest.raises(
        ValueError, match=r"^`boundary` must be 'periodic' at both ends"
    ):
        anygrad.derivative(f, boundary=("periodic", "ghosts"))


def test_ghosts_that_are_no_part_of_the_samples(library: Backend) -> None:
    """They are no values beyond an end: there is one of these for each line."""
    f = library.asarray([0.0, 1.0, 4.0])
    remedy = r"For samples beyond an end, write `\('ghosts', samples\)` for that end"
    with pytest.raises(ValueError, match=remedy):
        anygrad.derivative(f, boundary=(f, "edge"))
    found = anygrad.derivative(f, boundary=(("ghosts", f), "edge"))
    assert library.tolist(found) == [-1.5, 2.0, 1.5]


def test_labelled_arrays() -> None:
    xarray = pytest.importorskip("xarray")
    import anygrad.xarray

    data = xarray.DataArray([0.0, 1.0, 4.0], {"x": [0, 1, 2]}, "x")
    for boundary in ("ghosts", {"x": ("edge", "ghosts")}):
        with pytest.raises(
            ValueError, match=r"^`boundary` must not be 'ghosts' for la"
        ):
            anygrad.xarray.gradient(data, boundary=boundary)


@pytest.mark.parametrize(
    "given",
    [
        {"spacing": [[0.0, 1.0, 3.0]]},
        {"spacing": range(3)},
        {"spacing": frozenset()},
        {"where": 0},
        {"where": "all"},
        {"where": [True]},
        {"where": frozenset()},
    ],
    ids=str,
)
def test_what_no_call_takes_has_no_halo(given: Any) -> None:
    (word,) = given
    with pytest.raises(TypeError, match=f"^`{word}"):
        anygrad.halo_width(anygrad.laplacian, **given)


def test_arrays_that_no_call_takes_have_no_halo(numpy: Any) -> None:
    text, numbers = numpy.asarray(["a", "b"]), numpy.arange(2.0)
    for word, array in (("spacing", text), ("boundary", text), ("where", numbers)):
        with pytest.raises(TypeError, match=f"^`{word}` must have"):
            anygrad.halo_width(anygrad.laplacian, **{word: array})
    masked = numpy.ma.masked_equal(numbers, 1)
    with pytest.raises(TypeError, match=r"^`spacing` must not be a masked"):
        anygrad.halo_width(anygrad.laplacian, spacing=masked)
