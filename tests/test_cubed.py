"""cubed: one stage per result, the chunks of the samples, the bits of NumPy.

`nox -s "others(library='cubed')"` runs this file.
"""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from anygrad._executors import in_cubed

cubed = pytest.importorskip("cubed", reason="cubed is not installed")
xp = pytest.importorskip("cubed.array_api")
np = pytest.importorskip("numpy")

F = np.random.default_rng(0).random((12, 10))
X = np.cumsum(np.random.default_rng(1).random(12) + 0.1)
PER_POINT = X[:, None] + np.arange(10.0) / 7
VALID = np.random.default_rng(2).random((12, 10)) > 0.2

#: Dims in one chunk, chunks shorter than what formulas reach, and a short last one.
CHUNKS = [(12, 10), (4, 10), (5, 7), (11, 3)]

CALLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "gradient": (anygrad.gradient, {}),
    "edges": (anygrad.gradient, {"edge_order": 2, "spacing": 0.3}),
    "stacked": (anygrad.gradient, {"stack_dim": 0}),
    "accuracy": (anygrad.derivative, {"dim": 0, "accuracy": 6}),
    "order": (anygrad.derivative, {"dim": 0, "order": 3, "accuracy": 4}),
    "coordinates": (anygrad.gradient, {"dim": 0, "spacing": [X]}),
    "one per point": (anygrad.gradient, {"dim": 0, "spacing": [PER_POINT]}),
    "step of NumPy's": (anygrad.gradient, {"spacing": np.asarray(0.3)}),
    "where": (anygrad.gradient, {"where": VALID}),
    "where, one per row": (anygrad.gradient, {"where": VALID[:, :1]}),
    "periodic": (anygrad.gradient, {"boundary": "periodic"}),
    "periodic, where": (anygrad.gradient, {"boundary": "periodic", "where": VALID}),
    "mirrored": (anygrad.gradient, {"boundary": ("reflect", 1.5), "dim": 1}),
    "values": (anygrad.gradient, {"boundary": PER_POINT[:, :1], "dim": 1}),
    "periods": (
        anygrad.gradient,
        {"dim": 1, "spacing": [X[:10]], "boundary": ("periodic", X[:, None] + X[9])},
    ),
    "ghosts": (anygrad.gradient, {"boundary": "ghosts"}),
    "ghosts of NumPy's": (
        anygrad.derivative,
        {"dim": 1, "boundary": (("ghosts", F[:, :2]), "edge")},
    ),
    "scale factors of NumPy's": (
        anygrad.gradient,
        {"scale_factors": [np.asarray(2.0), X[:, None] + 1.0]},
    ),
    "laplacian": (anygrad.laplacian, {"accuracy": 4, "spacing": [0.5, 0.2]}),
    "hessian": (anygrad.hessian, {}),
    "hessian on coordinates": (anygrad.hessian, {"spacing": [X, 0.1]}),
    "float32": (anygrad.laplacian, {"dtype": xp.float32}),
}


def made(values: Any, chunks: Any, memory: str = "100MB") -> Any:
    return xp.asarray(values, chunks=chunks, spec=cubed.Spec(allowed_mem=memory))


def planned(result: Any) -> Any:
    """Return the plan of an array, as it would be run."""
    from cubed.core.plan import arrays_to_plan

    return arrays_to_plan(result)._finalize()


def check(function: Any, samples: Any, chunks: Any, keywords: dict[str, Any]) -> None:
    """Hold results to those of NumPy, and their chunks to those of the samples."""
    results = function(made(samples, chunks), **keywords)
    wanted = function(samples, **keywords)
    if not isinstance(wanted, tuple):
        results, wanted = (results,), (wanted,)
    for result, target in zip(results, wanted, strict=True):
        assert type(result).__module__.startswith("cubed")
        assert result.dtype == target.dtype
        assert np.array_equal(result.compute(), target, equal_nan=True)


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_the_bits_of_numpy(name: str, chunks: tuple[int, ...]) -> None:
    function, keywords = CALLS[name]
    check(function, F, chunks, keywords)


@pytest.mark.parametrize("name", ["divergence", "curl", "jacobian"])
def test_fields_of_integers(name: str) -> None:
    """Their terms are of a default dtype, which cubed names by a class."""
    samples = np.arange(240).reshape(2, 12, 10) ** 2
    check(getattr(anygrad, name), samples, (1, 5, 7), {})


@pytest.mark.parametrize("chunks", [(2, 12, 10), (1, 4, 10)], ids=str)
@pytest.mark.parametrize("name", ["divergence", "curl", "jacobian"])
def test_fields(name: str, chunks: tuple[int, ...]) -> None:
    """Components in one chunk, and each in its own."""
    check(getattr(anygrad, name), np.stack([F, F**2]), chunks, {"vector_dim": 0})


@pytest.mark.parametrize("name", ["divergence", "curl"])
def test_curved_fields(name: str) -> None:
    """Products with factors and masks of NumPy's, which stay lazy, too."""
    keywords = {"scale_factors": [2.0, X[:, None] + 1.0], "where": VALID}
    given = keywords | {"vector_dim": 0, "boundary": "edge"}
    check(getattr(anygrad, name), np.stack([F, F**2]), (2, 5, 7), given)


@pytest.mark.parametrize("chunks", [(2, 3), (1, 2)], ids=str)
def test_few_points(chunks: tuple[int, ...]) -> None:
    """Axes shorter than the formulas, cut or not."""
    for boundary in ("edge", "periodic", "symmetric"):
        keywords = {"accuracy": 4, "boundary": boundary}
        check(anygrad.laplacian, F[:2, :3], chunks, keywords)


#: The most stages of an array of its own: its blocks and those of the samples with the
#: rows around them, the result, and what gives it the chunks of the samples.
STAGES = 5


@pytest.mark.parametrize("chunks", [(12, 10), (5, 7), (11, 3)], ids=str)
def test_arrays_of_its_own(chunks: tuple[int, ...]) -> None:
    """Coordinates, steps, masks and values that are in no memory yet."""
    values = {
        "x": X,
        "per point": PER_POINT,
        "step": np.asarray(0.3),
        "valid": VALID,
        "beyond": PER_POINT[:1],
    }
    own = {name: made(array, "auto") for name, array in values.items()}
    f = made(F, chunks)

    def keywords(given: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"spacing": [given["x"]], "dim": 0, "accuracy": 4},
            {"spacing": [given["per point"]], "dim": 0},
            {"spacing": given["step"], "dim": 1},
            {"where": given["valid"], "dim": 0},
            {"boundary": given["beyond"], "dim": 0, "spacing": [X]},
        ]

    for lazy, plain in zip(keywords(own), keywords(values), strict=True):
        (result,) = anygrad.gradient(f, **lazy)
        (wanted,) = anygrad.gradient(F, **plain)
        assert result.chunks == f.chunks
        assert np.array_equal(result.compute(), wanted, equal_nan=True)
        operations = planned(result).dag.nodes(data="primitive_op")
        assert sum(op is not None for _, op in operations) <= STAGES + 1


@pytest.mark.parametrize("is_own", [False, True], ids=["NumPy's", "its own"])
@pytest.mark.parametrize("chunks", [(1, 10), (2, 5)], ids=str)
def test_more_ghosts_than_rows_of_a_chunk(chunks: Any, is_own: bool) -> None:
    """cubed itself joins what lies in one chunk, and longer ones, to wrong rows."""

    def given(wrap: Any, of_numbers: Any) -> dict[str, Any]:
        beyond = X[-1] + np.asarray([0.5, 1.0, 2.0])
        ghosts = ("ghosts", wrap(F[:3]), of_numbers(beyond))
        ends = {"boundary": ("one_sided", ghosts), "spacing": of_numbers(X)}
        return {"dim": 0, "accuracy": 6, **ends}

    f = made(F, chunks)
    whole = (lambda array: made(array, array.shape)) if is_own else np.asarray
    result = anygrad.derivative(f, **given(whole, np.asarray))
    wanted = anygrad.derivative(F, **given(np.asarray, np.asarray))
    assert result.chunks == f.chunks
    assert np.array_equal(result.compute(), wanted)
    lazy = anygrad.derivative(f, **given(whole, lambda x: made(x, (chunks[0],))))
    assert np.array_equal(lazy.compute(), wanted)


def test_stages_of_a_dim_in_one_chunk() -> None:
    """What is joined of pieces is stacked, too."""
    given: dict[str, Any] = {"boundary": "periodic", "stack_dim": 0}
    result = anygrad.gradient(made(F, (12, 5)), **given)
    wanted = anygrad.gradient(F, **given)
    assert np.allclose(result.compute(), wanted, 1e-12, 1e-12)


@pytest.mark.parametrize("name", ["gradient", "accuracy", "coordinates", "laplacian"])
def test_one_stage(name: str) -> None:
    """Of tasks, as many as there are blocks, and those that read the samples."""
    function, keywords = CALLS[name]
    f = made(F, (4, 5))
    result = function(f, **keywords)
    result = result[0] if isinstance(result, tuple) else result
    assert result.chunks == f.chunks
    blocks = 3 * 2
    assert planned(result).num_tasks <= blocks + 1  # the other one makes the array


@pytest.mark.parametrize("boundary", ["one_sided", ("periodic", 20.0)])
def test_what_others_write_later(boundary: Any) -> None:
    """Coordinates are those of the call."""
    x, keywords = X.copy(), {"dim": 0, "boundary": boundary}
    (result,) = anygrad.gradient(made(F, (4, 5)), spacing=[x], **keywords)
    x[:] = 0.0
    (wanted,) = anygrad.gradient(F, spacing=[X], **keywords)
    assert np.array_equal(result.compute(), wanted)


def test_memory() -> None:
    """What a block takes is stated, and cubed refuses what does not fit."""

    def slope(memory: int) -> Any:
        spec = cubed.Spec(allowed_mem=memory)
        f = xp.zeros((1000, 1000), chunks=(500, 500), spec=spec)
        return anygrad.gradient(f, dim=0)[0]

    projected = planned(slope(10**8)).max_projected_mem
    assert projected > in_cubed.ARRAYS * 502 * 500 * 8 + in_cubed.SCRATCH
    assert slope(projected).compute().shape == (1000, 1000)
    with pytest.raises(ValueError, match="exceeds allowed_mem"):
        slope(projected - 1).compute()


@pytest.mark.parametrize("name", ["edges", "where", "coordinates", "laplacian"])
def test_memory_is_not_exceeded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block takes no more than is stated, its result copied included."""
    import tracemalloc

    block, peaks = in_cubed._block, []

    def measured(window: Any, *, block_id: Any, **given: Any) -> Any:
        window = np.asarray(window)
        tracemalloc.start()
        result = np.ascontiguousarray(block(window, block_id=block_id, **given))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        return result

    monkeypatch.setattr(in_cubed, "_block", measured)
    function, keywords = CALLS[name]
    samples = np.tile(F, (1, 40_000))
    if "where" in keywords:
        keywords = {"where": VALID[:, :1]}
    spec = cubed.Spec(allowed_mem="2GB", executor_name="single-threaded")
    f = cubed.map_blocks(  # too large for memory, as cubed counts
        lambda block: np.broadcast_to(block, (12, 400_000)).copy(),
        xp.asarray(F[:, :1], spec=spec),
        dtype=F.dtype,
        chunks=((12,), (400_000,)),
    )
    result = function(f, **keywords)
    result = result[0] if isinstance(result, tuple) else result
    result.compute()
    (peak,) = peaks
    held = samples.nbytes  # the window is there before
    assert peak + held <= in_cubed.ARRAYS * held + in_cubed.SCRATCH


def test_a_compiler_goes_along() -> None:
    """Captured where the call is made."""
    seen = []

    def execute(block: Any, plan: Any) -> Any:
        seen.append(anygrad.get_compiler())
        return (block,)

    with anygrad._compilers.within("numba"):
        run = anygrad._compilers.captured(execute)
    assert run(F, None)[0] is F
    assert anygrad._compilers.captured(execute) is execute
    assert seen == ["numba"]
