"""What is asked of a GPU: launches, no copies, no waiting; and its devices.

The values are those of every other test, which run on CuPy as well.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import anygrad
import cupy_on_cpu

SOURCES = sorted(Path(anygrad.__file__).parent.rglob("*.py"))

#: Executors of other libraries, which CuPy's arrays never meet.
OTHERS = {"in_jax.py", "in_dask.py", "in_numpy.py", "in_torch.py"}


@pytest.fixture
def record(cupy: Any) -> Any:
    """Return the recorder of the emulated driver."""
    if not cupy_on_cpu.installed():
        pytest.skip("what is asked of a real driver is not counted")
    return cupy_on_cpu.record


def spacings(cupy: Any) -> Iterator[tuple[str, Any]]:
    """Return spacings of every kind.

    `cupy.gradient` takes 6 kernels with a step; with coordinates 21, a wait and a copy.
    """
    yield "unit step", 1
    yield "step", 0.3
    yield "0-d", cupy.asarray(0.3)
    yield "coordinates", cupy.asarray([0.0, 1, 3, 4, 8])
    yield "per point", cupy.asarray([[0.0, 1, 3, 4, 8]])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "float16"])
def test_a_call_never_waits(cupy: Any, record: Any, dtype: str) -> None:
    """No synchronisation, and no copy between host and device, either way (trap 13).

    Asked when everything has been compiled.
    """
    f = cupy.arange(15, dtype=dtype).reshape(3, 5)
    for name, entry in spacings(cupy):
        for edge_order in (1, 2):
            keywords = {"spacing": [entry], "dim": 1, "edge_order": edge_order}
            anygrad.gradient(f, **keywords)
            with record() as recording:
                anygrad.gradient(f, **keywords)
            assert recording.launches, name
            assert recording.synchronisations == 0, name
            assert recording.device_to_host == 0, name
            assert recording.host_to_device == 0, name


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_dim_is_one_launch(cupy: Any, record: Any, axis: int) -> None:
    """For small arrays and for large ones, along every dim."""
    for other in (3, 70):
        shape = [other, other, other]
        shape[axis] = 5
        f = cupy.ones(shape, dtype="float64")
        for name, entry in spacings(cupy):
            line = [5 if k == axis else 1 for k in range(3)]
            spacing = [entry.reshape(line) if name == "per point" else entry]
            anygrad.gradient(f, spacing=spacing, dim=axis)
            with record() as recording:
                anygrad.gradient(f, spacing=spacing, dim=axis)
            assert recording.launches == ["anygrad_kernel"], name


def test_the_same_call_again(cupy: Any) -> None:
    """What is kept of the latest numbers is of no other samples, and of no others."""
    first = cupy.arange(6.0).reshape(2, 3) ** 2
    turned = cupy.arange(6.0).reshape(3, 2).T ** 2
    for step in (0.5, 0.5, 2.0, 0.5, 1, 0.5):
        for f in (first, turned, first):
            found = anygrad.gradient(f, spacing=step, dim=1)[0]
            rows = f.get() / step
            expected = [
                rows[:, 1] - rows[:, 0],
                (rows[:, 2] - rows[:, 0]) / 2,
                rows[:, 2] - rows[:, 1],
            ]
            assert found.get().T.tolist() == [list(row) for row in expected]


def test_the_current_device_stays_current(cupy: Any) -> None:
    """Whatever the device of the samples, and also after a refusal."""
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("there is one device only")
    with cupy.cuda.Device(1):
        f, x = cupy.arange(5.0), cupy.asarray([0.0, 1, 3, 4, 8])
    assert cupy.cuda.Device() == cupy.cuda.Device(0)
    for entry in (1, x):
        (result,) = anygrad.gradient(f, spacing=[entry])
        assert result.device == f.device
        assert cupy.cuda.Device() == cupy.cuda.Device(0)
    with pytest.raises(ValueError, match="coordinate per point"):
        anygrad.gradient(f, spacing=[x[:3]])
    assert cupy.cuda.Device() == cupy.cuda.Device(0)


def test_streams(cupy: Any) -> None:
    """The current stream is used, none is made, and none is waited for."""
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        (result,) = anygrad.gradient(cupy.asarray([0.0, 1, 4, 9]))
        assert cupy.cuda.get_current_stream() == stream
    stream.synchronize()  # others do not wait for it
    assert result.tolist() == [1, 2, 4, 5]


# The table for versions of CuPy that the emulated driver does not know.


def calls(name: str) -> Iterator[tuple[str, set[str]]]:
    """Return the functions ``name.function`` that anygrad uses, with the keywords."""
    for path in SOURCES:
        if path.name in OTHERS:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _is_of(node.func, name):
                called.add(node.func)
                yield node.func.attr, {word.arg for word in node.keywords if word.arg}
        for node in ast.walk(tree):
            if _is_of(node, name) and node not in called:
                yield node.attr, set()


def _is_of(node: Any, name: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    )


def keywords_of(function: Any) -> set[str]:
    """Return the keywords that a function takes; of a ufunc, from its first line."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        signature = re.match(r"\w+\((.*)\)", function.__doc__)
        words = signature[1].replace("\\", "").split(",")
        return {(word.partition("=")[0].split() or [""])[-1] for word in words}
    return set(parameters)


@pytest.mark.parametrize("name", ["xp", "cupy"])
def test_all_functions_exist(cupy: Any, name: str) -> None:
    import array_api_compat.cupy

    namespace = {"xp": array_api_compat.cupy, "cupy": cupy}[name]
    used = list(calls(name))
    assert used
    for function, keywords in used:
        assert hasattr(namespace, function), function
        if keywords:
            assert keywords <= keywords_of(getattr(namespace, function)), function


def test_the_class_of_arrays(cupy: Any) -> None:
    """What dispatch looks for, and what it must not find."""
    assert isinstance(cupy.ndarray, type)
    assert isinstance(cupy.ndarray.device, property) or inspect.isdatadescriptor(
        cupy.ndarray.device
    )
    for attribute in ("strides", "transpose", "flags", "reshape", "astype"):
        assert hasattr(cupy.ndarray, attribute)
