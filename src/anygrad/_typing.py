"""The words in which signatures and private rooms speak of arrays."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias, TypeVar


class Array(Protocol):
    """What every room asks of an array: its dtype and shape, and arithmetic."""

    @property
    def dtype(self) -> Any: ...
    @property
    def ndim(self) -> int: ...
    @property
    def shape(self) -> tuple[Any, ...]: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __add__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...


#: The array type of a call: what goes in comes out.
ArrayT = TypeVar("ArrayT", bound=Array)

#: A namespace of the array API standard, as array-api-compat returns it.  The
#: standard has no type for it, so it is checked where it is used: by the tests.
Namespace: TypeAlias = Any

#: A dtype object of any library.
DType: TypeAlias = Any

#: What one dim may be given: a step, or coordinates.
Spacing: TypeAlias = complex | Array

#: What may stand at one end of a dim: a mode, a value or one for each line; or "ghosts"
#: with samples, and coordinates.  For both ends, the same or a pair; or "periodic" with
#: the period, which is such a pair.
Mode: TypeAlias = str | complex | Array
Ghosts: TypeAlias = tuple[str, Array] | tuple[str, Array, Array]
Boundary: TypeAlias = Mode | tuple[Mode | Ghosts, Mode | Ghosts]


class PerDim(Protocol):
    """A list with a boundary for each dim: of any entries, as `list[Boundary]` is not.

    A tuple has no `pop`, and a set no `reverse`.
    """

    def pop(self) -> Boundary: ...
    def reverse(self) -> None: ...
