"""From the class of an array to what runs on it: a door asks once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from typing import Any, NamedTuple

from . import _agnostic, _classes, _libraries, _refusals
from ._checks.wording import as_array, remedy
from ._library import Library
from ._lowering import index_along
from ._records import Plan, Samples
from ._schemes import Margin
from ._typing import Namespace

#: ``executor(array, plan, namespace)`` returns the results of a plan.
Executor = Callable[[Any, Plan, Namespace], tuple[Any, ...]]


class Executors(NamedTuple):
    """What runs on the arrays of a library."""

    #: For arrays of exactly the library's class, and for those of subclasses.
    exact: Executor = _agnostic.run
    fallback: Executor = _agnostic.run
    #: For those that are spread over several devices, as the library's table tells.
    spread: Executor = _agnostic.run
    #: Returns the context in which an array is computed with, outside of executors.
    surroundings: Callable[[Any], AbstractContextManager[Any]] = nullcontext
    #: ``cut(array, slices)`` returns a part of a result, or of what is beside it.
    cut: Callable[[Any, tuple[Any, ...]], Any] = operator.getitem
    #: Whether `exact` takes coordinates of one dim as they are: where it costs many
    #: microseconds to give them the others.
    takes_vectors: bool = False
    #: Whether plans are compiled, each for the lengths of its first call.
    compiles_plans: bool = False
    #: ``in_one_pass(f, composite, plan, namespace)`` returns the results of a call with
    #: factors on an array of exactly the class; None for what it leaves to others.
    in_one_pass: Callable[..., tuple[Any, ...] | None] | None = None


def execute(array: Any, plan: Plan) -> tuple[Any, ...]:
    """Return the results of a plan for an array that no door has seen: a chunk."""
    samples = samples_of(array, "input")
    return samples.executor(array, plan, samples.namespace)


def _of_numpy() -> Executors:
    from ._executors import in_numpy

    return Executors(
        in_numpy.run,
        in_numpy.run_subclass,
        surroundings=in_numpy.quietly,
        in_one_pass=in_numpy.run_in_one_pass,
    )


def _of_torch() -> Executors:
    from ._executors import in_torch

    return Executors(
        in_torch.run, spread=_on_mesh, in_one_pass=in_torch.run_in_one_pass
    )


def _on_mesh(array: Any, plan: Plan, xp: Namespace) -> tuple[Any, ...]:
    """Run a plan on a DTensor; what that takes is loaded for the first."""
    from ._executors.spread import on_mesh

    return on_mesh.run(array, plan, xp)


def _of_jax() -> Executors:
    from . import _decided

    return _of_jax_that_asks() if _decided.asks() else _of_jax_as_usual()


@cache  # one and the same for all calls
def _of_jax_as_usual() -> Executors:
    from ._executors import in_jax
    from ._executors.spread import explicit

    return Executors(
        in_jax.run,
        in_jax.trace,
        cut=explicit.cut,
        takes_vectors=True,
        compiles_plans=True,
    )


@cache
def _of_jax_that_asks() -> Executors:
    from ._decided import by_plan, decided

    usual = _of_jax_as_usual()
    return usual._replace(
        exact=decided(usual.exact),
        fallback=decided(usual.fallback),
        surroundings=by_plan,
        cut=decided(usual.cut),
    )


@cache
def _of_dask() -> Executors:
    from ._executors import in_dask

    around = _surroundings_of_chunk
    return Executors(partial(in_dask.run, execute=execute, surroundings=around))


@cache
def _of_cubed() -> Executors:
    from ._executors import in_cubed

    return Executors(partial(in_cubed.run, execute=execute))


def _of_cupy() -> Executors:
    from ._executors import in_cupy

    return Executors(
        in_cupy.run,
        in_cupy.run_subclass,
        surroundings=lambda array: array.device,
        in_one_pass=in_cupy.run_in_one_pass,
    )


#: By the names in the table of libraries: what loads the executors of a library when
#: its first array comes in, and not when anygrad is imported.  Others have none.
EXECUTORS: dict[str, Callable[[], Executors]] = {
    "numpy": _of_numpy,
    "torch": _of_torch,
    "jax": _of_jax,
    "dask": _of_dask,
    "cupy": _of_cupy,
    "cubed": _of_cubed,
    "array-api-strict": Executors,
}


def samples_of(array: Any, name: str) -> Samples:
    """Return what there is to know of an array before anything is planned.

    Raises
    ------
    TypeError
        If `array` is no array of the standard, is of a class that is refused, or has no
        axes to slice.
    """
    library = _libraries.library_of(array)
    is_exact = _libraries.is_exact(array, library)
    if not is_exact:
        _refuse(type(array), array, name)
    importing = library.import_namespace
    namespace = importing() if importing else _namespace(array, name)
    _check_layout(array, library, name)
    if library.chunk is not None:
        _refuse(type(library.chunk(array)), array, name)
    executors = executors_of(library)
    executor = executors.exact if is_exact else executors.fallback
    is_compiled = library.is_compiled is not None and library.is_compiled()
    if not (is_exact or is_compiled) and _libraries.mesh_of(array, library) is not None:
        executor = executors.spread
    if library.unwrap is not None and _libraries.is_shell(array):
        executor = partial(_unwrapped, executors.exact, library.unwrap)
        array, is_exact = library.unwrap(array), True
    return Samples(
        array,
        library.dtype(array),
        array.shape,
        library,
        namespace,
        executor,
        library.device(array),
        is_exact,
        is_compiled,
    )


def _unwrapped(
    executor: Executor,
    unwrap: Callable[[Any], Any],
    array: Any,
    plan: Plan,
    xp: Namespace,
) -> tuple[Any, ...]:
    """Run a plan on an array without its shell."""
    return executor(unwrap(array), plan, xp)


def executor_for(samples: Samples, companions: Iterable[Any]) -> Executor:
    """Return what runs on samples that come with steps, coordinates and a mask.

    That is the fallback where one is of a class derived from the library's.
    """
    library = samples.library
    if _libraries.mesh_of(samples.array, library) is not None:
        return samples.executor  # what comes with a spread array is spread, too
    for array in filter(_classes.is_array, companions):
        plain = _libraries.without_shell(array)
        is_own = _libraries.library_of(plain) is library
        if is_own and not _libraries.is_exact(plain, library):
            return executors_of(library).fallback
    return samples.executor


def in_one_pass(samples: Samples) -> Callable[..., tuple[Any, ...] | None] | None:
    """Return what makes a call with factors in one pass; None where nothing does."""
    executors = executors_of(samples.library)
    is_plain = samples.executor is executors.exact and not samples.is_compiled
    return executors.in_one_pass if is_plain else None


def without_ghosts(
    executor: Executor, ghosts: tuple[Margin, ...], samples: Samples
) -> Executor:
    """Return what runs a plan and cuts the rows of ghosts off."""
    if not ghosts:
        return executor
    from ._executors.spread import margins

    cut = executors_of(samples.library).cut
    return partial(margins.run, margins=ghosts, executor=executor, cut=cut)


def _namespace(array: Any, name: str) -> Namespace:
    try:
        return _libraries.namespace_of(array)
    except (TypeError, AttributeError):
        msg = (
            f"`{name}` must be an array of a library that follows the array API "
            f"standard. Got {_classes.type_name(array)}.{as_array(array)}"
        )
        raise TypeError(msg) from None


def _refuse(cls: type, array: Any, name: str) -> None:
    """Raise where a class that is refused would pass for the array that it wraps."""
    refusal = _refusals.refusal_of(cls)
    if refusal is not None:
        msg = (
            f"`{name}` must not be {refusal.rule}. Got {_classes.type_name(array)}. "
            f"{remedy(refusal, array)}"
        )
        raise TypeError(msg)


def _check_layout(array: Any, library: Library, name: str) -> None:
    layout = library.layout(array)
    if layout is not None:
        missing = False if name == "where" else "float('nan')"
        is_nested = layout == "nested"
        dense = f"to_padded_tensor({missing})" if is_nested else "to_dense()"
        msg = (
            f"`{name}` must be a dense array. Got layout {layout}. Convert it first, "
            f"with `{dense}`."
        )
        raise TypeError(msg)


def surroundings(samples: Samples) -> AbstractContextManager[Any]:
    """Return the context in which the agnostic code may compute with an array."""
    return executors_of(samples.library).surroundings(samples.array)


def part_of(array: Any, axis: int, points: int | slice) -> Any:
    """Return what a call needs of an array beside samples: a component, or rows."""
    cut = executors_of(_libraries.library_of(array)).cut
    return cut(array, index_along(axis, points))


def _surroundings_of_chunk(array: Any) -> AbstractContextManager[Any]:
    return surroundings(samples_of(array, "input"))


def executors_of(library: Library) -> Executors:
    """Return what runs on the arrays of a library."""
    return EXECUTORS.get(library.name, Executors)()
