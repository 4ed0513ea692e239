"""From a class to what runs on it: by the names of the class and of its bases."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

import anygrad
from anygrad import (
    _agnostic,
    _classes,
    _dispatch,
    _libraries,
    _refusals,
    _traced_numbers,
)
from anygrad._calls import Request
from anygrad._dispatch import EXECUTORS
from backends import LIBRARIES, Backend

TABLE = {library.name: library for library in _libraries.TABLE}


def executor_of(array: Any) -> Any:
    return _dispatch.samples_of(array, "input").executor


def class_named(name: str, *bases: type) -> Any:
    """Return a class as if it were of that module and name."""
    module, _, qualname = name.rpartition(".")
    names = {"__module__": module, "__qualname__": qualname}
    return types.new_class(qualname, bases, exec_body=lambda body: body.update(names))


def test_every_library_has_its_executors() -> None:
    assert set(TABLE) == set(LIBRARIES)
    engines = {library.name for library in _libraries.ENGINES}
    assert set(EXECUTORS) == {*TABLE, *engines}


def test_what_is_learned_of_an_array(backend: Backend) -> None:
    """Once, when it comes in: all that a plan asks for later."""
    f = backend.asarray([[1.0, 2.0, 4.0]])
    found = _dispatch.samples_of(f, "input")
    assert found.array is f
    assert (found.dtype, tuple(found.shape)) == (f.dtype, (1, 3))
    assert not found.is_compiled
    if backend.id == "toy":
        assert found.library is _libraries.UNNAMED
        assert (found.is_exact, found.device) == (False, None)
        assert found.namespace is f.__array_namespace__()
        assert found.executor is _agnostic.run
        return
    assert found.library is TABLE[backend.library]
    assert found.is_exact
    assert found.executor is EXECUTORS[backend.library]().exact
    assert found.namespace is found.library.import_namespace()
    assert _libraries.is_exact(f, found.library)
    assert not _libraries.is_shell(f)
    assert _libraries.without_shell(f) is f


# Names that lie, and modules that are not finished.


@pytest.mark.parametrize("other", [name for name in LIBRARIES if name != "numpy"])
def test_a_half_made_module_does_not_matter(
    numpy: Any, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """As it stands in `sys.modules` while another thread imports it."""
    package = TABLE[other].package
    monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    f = numpy.arange(17.0)
    for keywords in ({}, {"spacing": [f]}, {"spacing": 0.5}, {"where": f > 1}):
        (result,) = anygrad.gradient(f, **keywords)
        assert result[-1] == (2.0 if keywords.get("spacing") == 0.5 else 1.0)
    with pytest.raises(TypeError, match=r"^`input` must be an array of a library"):
        anygrad.gradient([1.0, 2.0])


@pytest.mark.parametrize(
    "name",
    ["stranger.Tensor", "torchlike.Tensor", "mytorch.Tensor", "a.torch.Tensor"],
)
def test_a_class_of_the_same_name_from_elsewhere(library: Backend, name: str) -> None:
    """It is no array unless it says so, and then one of a library that nobody knows."""
    stranger = class_named(name)()
    assert _libraries.library_of(stranger) is _libraries.UNNAMED
    got = f"{name.partition('.')[0]}.Tensor"
    with pytest.raises(TypeError, match=rf"Got {got}\.$"):
        anygrad.gradient(stranger)
    f = library.asarray([1.0, 2.0])
    with pytest.raises(TypeError, match=rf"^`spacing\[0\]` must be an .*Got {got}\."):
        anygrad.gradient(f, spacing=[stranger])


def test_names_are_looked_up_with_their_modules() -> None:
    """Of the package's top level; whichever module a class has moved to since."""
    tensor = class_named("torch.nn.parameter.Tensor")
    assert _classes.is_of_family(tensor, "torch", ("Tensor",))
    assert _classes.is_of_family(class_named("mine.Own", tensor), "torch", ("Tensor",))
    assert not _classes.is_of_family(tensor, "torchvision", ("Tensor",))
    assert not _classes.is_of_family(class_named("torch.Other"), "torch", ("Tensor",))
    for cls, name in (
        (tensor, "torch.Tensor"),
        (int, "int"),
        (Path, "pathlib.Path"),
    ):
        value = cls() if cls is not Path else Path()
        assert _classes.type_name(value).replace("PosixPath", "Path") == name


# Classes that are derived.


def subclass_of(backend: Backend) -> Any:
    """Return an array of a class that is derived from the library's."""
    f = backend.asarray([0.0, 1.0, 4.0, 9.0])
    if backend.library in ("numpy", "cupy"):
        return f.view(class_named("mine.ndarray", type(f)))
    if backend.library == "torch":
        return f.as_subclass(class_named("mine.Tensor", type(f)))
    assert backend.library == "dask"
    return class_named("mine.Array", type(f))(f.dask, f.name, f.chunks, f.dtype)


@pytest.mark.forms("numpy", "torch", "dask", "cupy")  # others cannot be derived from
def test_a_derived_class_gets_what_only_uses_the_standard(library: Backend) -> None:
    """Its operations may mean more; it is told apart where its name is the same."""
    derived = subclass_of(library)
    row = TABLE[library.library]
    found = _dispatch.samples_of(derived, "input")
    assert found.library is row
    assert not found.is_exact
    assert found.executor is EXECUTORS[library.library]().fallback
    plain = library.asarray([0.0, 1.0, 4.0, 9.0])
    beside = _dispatch.samples_of(plain, "input")
    assert _dispatch.executor_for(beside, [1.0, plain, None]) is beside.executor
    assert _dispatch.executor_for(beside, [1.0, derived]) is found.executor
    (result,) = anygrad.gradient(derived, spacing=[plain])
    assert library.tolist(result)[1] == pytest.approx(1.0)


def test_a_mapped_file_is_a_plain_array(numpy: Any, tmp_path: Path) -> None:
    """As samples, coordinates and mask; not so a class derived from it."""
    f = numpy.memmap(tmp_path / "f", dtype="float64", mode="w+", shape=(4,))
    f[:] = [0, 1, 4, 9]
    found = _dispatch.samples_of(f, "input")
    assert type(found.array) is numpy.ndarray
    assert found.is_exact
    assert _libraries.is_shell(f)
    assert type(_libraries.without_shell(f)) is numpy.ndarray
    for keywords in ({}, {"spacing": [f + 1]}, {"spacing": [f]}, {"where": f >= 0}):
        for samples in (f, numpy.asarray(f)):
            (result,) = anygrad.gradient(samples, **keywords)
            assert type(result) is numpy.ndarray
            wanted = [1.0] * 4 if "spacing" in keywords else [1.0, 2.0, 4.0, 5.0]
            assert result.tolist() == pytest.approx(wanted)
    derived = f.view(class_named("mine.memmap", numpy.memmap))
    assert not _libraries.is_shell(derived)
    assert _libraries.without_shell(derived) is derived
    assert executor_of(derived) is EXECUTORS["numpy"]().fallback
    assert anygrad.gradient(derived)[0].tolist() == [1.0, 2.0, 4.0, 5.0]


def test_what_stands_for_arrays_of_jax(jax: Any) -> None:
    """Tracers are of the library, and nothing is known of where they are."""
    seen = []

    def call(f: Any) -> Any:
        seen.append(_dispatch.samples_of(f, "input"))
        return anygrad.gradient(f)[0]

    f = jax.numpy.arange(4.0)
    jax.jit(call)(f)
    jax.grad(lambda f: call(f)[0])(f)
    jax.vmap(call)(jax.numpy.ones((2, 4)))
    assert len(seen) == 3
    for found in seen:
        assert found.library is TABLE["jax"]
        assert not found.is_exact
        assert found.device is None
        assert found.executor is EXECUTORS["jax"]().fallback


# Refused classes.


@pytest.mark.parametrize(
    "refusal", _refusals.REFUSED, ids=lambda r: f"{r.package}.{r.classes[0]}"
)
def test_refused_by_the_name_of_a_base(refusal: _refusals.Refusal) -> None:
    for name in refusal.classes:
        cls = class_named(f"{refusal.package}.core.{name}")
        assert _refusals.refusal_of(cls) is refusal
        assert _refusals.refusal_of(class_named("mine.Own", cls)) is refusal
        assert _refusals.refusal_of(class_named(f"other.{name}")) is None


@pytest.mark.peers
def test_numbers_of_numpy_that_a_compiler_shows_as_arrays(
    numpy: Any, torch: Any
) -> None:
    """They become steps of torch's; all else stays what it is."""
    samples = _dispatch.samples_of(torch.arange(3.0), "input")
    x, number = torch.arange(3.0), numpy.asarray(0.5)
    request = Request([2.0, number, x], 0.0, None, None, None, 1, 2, 1)
    assert _traced_numbers.adopted(request, samples) is request
    compiled = samples._replace(is_compiled=True)
    found = _traced_numbers.adopted(request, compiled).spacing
    assert found[0] == 2.0
    assert found[1].dtype == torch.float64
    assert found[1].shape == ()
    assert found[2] is x
