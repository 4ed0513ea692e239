"""Small calls that are made again on the same memory: each has its own values."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from anygrad import _agnostic
from anygrad._executors.memory import layout_as
from anygrad._executors.played import replayed
from planning import free_spaces, plan_of

pytestmark = pytest.mark.usefixtures("kept_at_once")


@pytest.mark.forms("numpy")
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_other_values_each_time(numpy: Any, dtype: str) -> None:
    """And results that stay as they were, also while another thread is there."""
    calls = []
    for k in range(6):
        f = (numpy.arange(42).reshape(6, 7) ** 2 % (k + 11)).astype(dtype)
        x = numpy.arange(7, dtype="float32") ** (1 + k / 4)
        plan = plan_of("gradient", f, spacing=[x], dim=1)
        free = free_spaces(plan)
        taken = free.pop() if k == 5 else None
        calls.append((f, plan, anygrad.gradient(f, spacing=[x], dim=1)))
        assert free or k not in (3, 4)  # or before, if the form has been met
        if taken:
            free.append(taken)
    for f, plan, results in calls:
        (wanted,) = _agnostic.run(f, plan, plan.namespace)
        assert results[0].tobytes() == wanted.tobytes()
        assert results[0].dtype == wanted.dtype


@pytest.mark.forms("numpy")
@pytest.mark.parametrize("boundary", ["one_sided", "periodic", 2.5])
@pytest.mark.parametrize("function", ["gradient", "laplacian", "hessian"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int64"])
def test_other_steps_each_time(
    numpy: Any, dtype: str, function: str, boundary: Any
) -> None:
    """Such as are multiplied with, such as are divided by, and neither.

    And integers that are far apart, which are no floating numbers.
    """
    f, made = numpy.arange(56).reshape(7, 8) ** 2 % 53, []
    for step in (0.3, 0.3, 0.3, 0.3, 0.7, 0.5, 2.0, 0.3):
        samples = (f + len(made)).astype(dtype)
        if dtype == "int64" and step == 0.7:
            samples *= 2**56
        given = {"spacing": step, "boundary": boundary}
        plan = plan_of(function, samples, **given)
        made += [bool(free_spaces(plan))]
        results = getattr(anygrad, function)(samples, **given)
        with numpy.errstate(all="ignore"):
            wanted = _agnostic.run(samples, plan, plan.namespace)
        if not isinstance(results, tuple):
            results = (results,)
        for result, right in zip(results, wanted, strict=True):
            assert result.tobytes() == right.tobytes()
            assert result.dtype == right.dtype
    # A number beyond the ends is no integer.
    assert made[4] or (dtype, boundary) == ("int64", 2.5)


@pytest.mark.forms("numpy")
@pytest.mark.parametrize("has_mask", [False, True])
@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("gradient", {}),
        ("gradient", {"accuracy": 4, "edge_order": 2}),
        ("derivative", {"order": 2, "dim": 0}),
        ("laplacian", {}),
    ],
)
def test_other_coordinates_now_and_then(
    numpy: Any, function: str, kind: dict[str, Any], has_mask: bool
) -> None:
    """What follows from them alone is made when they change by a bit, and stays."""
    one = numpy.cumsum(numpy.arange(9.0) % 4 + 1)
    zeros = numpy.where(numpy.arange(9) == 1, 0.0, numpy.arange(9.0))
    signed = numpy.where(zeros == 0, -zeros, zeros)
    signed[0] = 0.0
    if has_mask:
        kind = {**kind, "where": numpy.arange(81).reshape(9, 9) % 7 > 0}
    for k, x in enumerate([one] * 5 + [one * 3.5, one, zeros, signed, zeros, one, one]):
        f = (numpy.arange(81.0) ** 2 % (k + 47)).reshape(9, 9)
        given = {"spacing": [x] if function == "derivative" else [x, x + 2.0], **kind}
        with numpy.errstate(all="ignore"):
            plan = plan_of(function, f, **given)
            results = getattr(anygrad, function)(f, **given)
            wanted = _agnostic.run(f, plan, plan.namespace)
        results = results if isinstance(results, tuple) else (results,)
        for result, right in zip(results, wanted, strict=True):
            nan = numpy.isnan(right)
            assert (numpy.isnan(result) == nan).all()
            assert result[~nan].tobytes() == right[~nan].tobytes()
    assert free_spaces(plan)[0].repeats


@pytest.mark.forms("numpy")
@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("gradient", {}),
        ("gradient", {"accuracy": 4, "edge_order": 2, "boundary": "edge"}),
        ("derivative", {"order": 2, "dim": 0}),
        ("derivative", {"dim": -1}),
        ("laplacian", {}),
        ("gradient", {"boundary": 2.5}),
        ("laplacian", {"boundary": [(2.5, "edge"), ("one_sided", -0.5)]}),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("is_line", [True, False])
def test_weights_of_coordinates_that_rest(
    numpy: Any,
    function: str,
    kind: dict[str, Any],
    dtype: str,
    is_turned: bool,
    is_line: bool,
) -> None:
    """They are made once the coordinates have come often, and left when others come."""
    lines = [numpy.cumsum(numpy.arange(float(n)) % 4 + 1) for n in (45, 50)]
    if not is_line:
        wave = numpy.arange(45.0 * 50).reshape(45, 50) % 7 / 10
        lines = [lines[0][:, None] + wave, lines[1] + wave]
    times = replayed.MANY_REPEATS
    for n, count in enumerate([times + 3, 1, times - 1, 2, times + 2]):
        grid = [x * (n + 1.0) for x in lines]
        given: dict[str, Any] = {"spacing": grid, **kind}
        if function == "derivative":
            given["spacing"] = grid[kind["dim"]]
        for k in range(count):
            f = (numpy.arange(45 * 50) ** 2 % (k + 47)).astype(dtype).reshape(45, 50)
            f = f.reshape(50, 45).T if is_turned else f
            plan = plan_of(function, f, **given)
            results = getattr(anygrad, function)(f, **given)
            wanted = _agnostic.run(f, plan, plan.namespace)
            results = results if isinstance(results, tuple) else (results,)
            for result, right in zip(results, wanted, strict=True):
                assert result.tobytes() == right.tobytes()
    layout = layout_as(f.shape, f.strides, f.itemsize) if is_turned else None
    (space,) = free_spaces(plan, layout)
    assert space.repeats == times + 2


@pytest.mark.forms("numpy")
def test_coordinates_of_a_call_that_was_interrupted(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows from them has not been made yet."""
    f, x = numpy.arange(13.0) ** 2, numpy.arange(13.0) ** 1.5
    for _ in range(5):
        anygrad.derivative(f, spacing=x)
    (space,) = free_spaces(plan_of("derivative", f, spacing=x))

    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(space, "play", interrupted)
        with pytest.raises(KeyboardInterrupt):
            anygrad.derivative(f, spacing=x * 2)
    assert (
        anygrad.derivative(f, spacing=x * 2) * 2 == anygrad.derivative(f, spacing=x)
    ).all()


def layouts(f: Any) -> list[Any]:
    """The same values in memory: in order, turned, with gaps, and all of that."""
    apart = f.repeat(2, 0) if hasattr(f, "flags") else f.repeat_interleave(2, 0)
    turned, turned_apart = [
        a.T.reshape(-1).reshape(tuple(a.T.shape)).T for a in (f, apart)
    ]
    return [f, apart[::2], turned, turned_apart[::2]]


@pytest.mark.forms("numpy")
@pytest.mark.parametrize("function", ["gradient", "laplacian", "hessian"])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("has_mask", [False, True])
def test_other_layouts_each_time(
    numpy: Any, dtype: str, function: str, has_mask: bool
) -> None:
    """Samples that lie otherwise are another call's, and results lie as they do."""
    given: dict[str, Any] = {"spacing": 0.3}
    if has_mask:
        given["where"] = numpy.arange(600).reshape(20, 30) % 7 > 0
    for k in range(6):
        values = (numpy.arange(600).reshape(20, 30) ** 2 % (k + 37)).astype(dtype)
        for f in layouts(values):
            plan = plan_of(function, f, **given)
            results = getattr(anygrad, function)(f, **given)
            wanted = _agnostic.run(f, plan, plan.namespace)
            if not isinstance(results, tuple):
                results = (results,)
            for result, right in zip(results, wanted, strict=True):
                assert result.tobytes() == right.tobytes()
                if function == "gradient":
                    assert result.strides == numpy.empty_like(f, result.dtype).strides


@pytest.mark.peers
def test_tensors_in_other_layouts(torch: Any) -> None:
    """They are made again, too, and lie as torch would have them."""
    for k in range(6):
        values = (torch.arange(600.0).reshape(20, 30) ** 2) % (k + 37)
        for f in layouts(values):
            plan = plan_of("derivative", f, spacing=0.3)
            layout = layout_as(f.shape, f.stride(), 1)
            if f.is_contiguous():
                layout = None
            assert k < 5 or free_spaces(plan, layout)
            result = anygrad.derivative(f, spacing=0.3)
            (wanted,) = _agnostic.run(f, plan, plan.namespace)
            assert result.equal(wanted)
            assert result.stride() == torch.empty_like(f).stride()


@pytest.mark.peers
@pytest.mark.parametrize("has_coordinates", [False, True])
def test_tensors(torch: Any, has_coordinates: bool) -> None:
    """Within inference mode and without, and for a step with two numbers to a scale."""
    for k in range(6):
        with torch.inference_mode(k < 4):
            f, x = torch.arange(40.0) ** 2 % (k + 11), torch.arange(40.0) ** (1 + k / 4)
            given = [x] if has_coordinates else (3e38 if k == 5 else k + 0.3)
            plan = plan_of("gradient", f, spacing=given)
            is_there = bool(free_spaces(plan))
            assert is_there or k <= 2  # or before, likewise
            (result,) = anygrad.gradient(f, spacing=given)
            (wanted,) = _agnostic.run(f, plan, plan.namespace)
            assert result.equal(wanted)
            assert result.is_inference() == (k < 4)


@pytest.mark.forms("numpy")
@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers(numpy: Any, dtype: str, edge_order: int) -> None:
    """Complete sums are multiplied with nothing: one times infinity may be NaN."""
    whole = (numpy.arange(11.0) ** 2 % 7 * (1 + 2j)).astype(dtype)
    holed = whole.copy()
    holed[[1, 6]] = numpy.inf, 1 + numpy.inf * 1j
    for spacing in (1, 0.3, 4.0, -1, 7.0):
        given = {"spacing": spacing, "edge_order": edge_order}
        for f in (whole, holed):
            plan = plan_of("gradient", f, **given)
            with numpy.errstate(all="ignore"):
                (wanted,) = _agnostic.run(f, plan, plan.namespace)
            results = [anygrad.gradient(f, **given)[0] for _ in range(4)]
            assert all(one.tobytes() == results[0].tobytes() for one in results)
            are_finite = numpy.isfinite(wanted)
            assert (results[0] == wanted)[are_finite].all()
            assert (numpy.isfinite(results[0]) == are_finite).all()
    assert free_spaces(plan)


@pytest.mark.forms("numpy")
def test_complex_numbers_that_are_scaled_now_and_then(numpy: Any) -> None:
    """What has been made with a number is not made again without: 2 × 0.5 is one."""
    f = numpy.arange(11.0) ** 2 % 7 * (1 + 2j)
    for spacing in (0.3, 0.3, 0.3, 0.5, 4.0, 0.5):
        plan = plan_of("derivative", f, spacing=spacing)
        (wanted,) = _agnostic.run(f, plan, plan.namespace)
        result = anygrad.derivative(f, spacing=spacing)
        assert result.tobytes() == wanted.tobytes()


@pytest.mark.forms("numpy")
def test_only_calls_that_are_made_again_have_memory_for_it(numpy: Any) -> None:
    """To hold all that is made on the way pushed other plans out."""
    f, x = numpy.ones((50, 40)), numpy.arange(40.0) ** 1.5
    holes = numpy.arange(2000).reshape(50, 40) % 7 > 0
    masked = {"where": holes, "accuracy": 4}
    # Samples that lie otherwise are made again as others are.
    calls = [(f, masked, 20), (numpy.ones((40, 250)).T, {}, 7)]
    for samples, keywords, most in calls:
        given = {"spacing": x, "dim": -1, **keywords}
        plan = plan_of("derivative", samples, **given)
        for _ in range(5):
            anygrad.derivative(samples, **given)
        assert plan.tasks[0].kept.account.held < most * samples.nbytes


@pytest.mark.forms("numpy")
def test_settings_of_numpy_stay(numpy: Any) -> None:
    """How long its buffers are, and what it warns of, is the caller's business."""
    before = numpy.setbufsize(4096)
    try:
        with numpy.errstate(divide="raise", invalid="ignore"):
            settings = numpy.geterr()
            for shape in ((7,), (40, 50), (300, 300), (2, 500_000)):
                f, x = numpy.ones(shape), numpy.arange(float(shape[-1]))
                for k in range(4):
                    for spacing in (0.5, 2.0 * k + 1.0, x + k, x):
                        anygrad.derivative(f, spacing=spacing)
                    anygrad.derivative(f, where=f > k)
                    assert numpy.getbufsize() == 4096
                    assert numpy.geterr() == settings
    finally:
        numpy.setbufsize(before)


@pytest.mark.forms("numpy")
def test_conversions_warn_of_no_nan(numpy: Any) -> None:
    """Nor of one that signals, which is no number either."""
    f, x = numpy.arange(9, dtype="float32"), numpy.arange(9.0)
    f.view("uint32")[4] = 0x7FA00000
    for _ in range(replayed.MANY_REPEATS + 4):
        with numpy.errstate(all="raise"):
            (result,) = anygrad.gradient(f, spacing=[x])
        assert numpy.flatnonzero(numpy.isnan(result)).tolist() == [3, 4, 5]
    assert free_spaces(plan_of("gradient", f, spacing=[x]))[0].repeats


@pytest.mark.peers
def test_coordinates_that_torch_negates_lazily(torch: Any) -> None:
    """Their bits are looked at, too."""
    values = torch.complex(torch.zeros(12), -(torch.arange(12.0) ** 1.5))
    x, f = torch.imag(torch.conj(values)), torch.arange(12.0) ** 2
    assert x.is_neg()
    for _ in range(7):
        result = anygrad.derivative(f, spacing=[x])
    assert result.equal(anygrad.derivative(f, spacing=[x.resolve_neg()]))


@pytest.mark.peers
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_coordinates_of_torch(torch: Any, dtype: str) -> None:
    """They are no integers of their width, and their conjugates have the same bits."""
    given = torch.complex(torch.arange(12.0) ** 1.5, torch.arange(12.0) % 5)
    x, f = given.to(getattr(torch, dtype)), torch.arange(12.0) ** 2
    for z in [x] * 5 + [x.conj(), x, x.conj() + 0]:
        plan = plan_of("derivative", f, spacing=[z])
        (wanted,) = _agnostic.run(f, plan, plan.namespace)
        assert anygrad.derivative(f, spacing=[z]).allclose(wanted)
