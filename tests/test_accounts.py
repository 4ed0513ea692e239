"""How many bytes plans hold: what is counted, and where."""

from __future__ import annotations

import sys
from array import array
from types import SimpleNamespace
from typing import Any

import pytest

from anygrad._kept import Account, Kept, size_of
from anygrad._records import Stack


def test_records_and_lists_are_counted_with_all_that_is_in_them() -> None:
    inner = (1.0, "word", None)
    record = Stack(0, inner, (2, 3))
    whole = [record, [], (inner, slice(0, 5))]
    assert size_of(inner) == sys.getsizeof(inner)
    wanted = sum(map(sys.getsizeof, (record, inner, (2, 3))))
    assert size_of(record) == wanted
    wanted += sum(map(sys.getsizeof, (whole, [], whole[2], inner, slice(0, 5))))
    assert size_of(whole) == wanted


@pytest.mark.parametrize("value", [None, 1, 2.5, "text", b"bytes", {}, object(), len])
def test_what_others_hold_too_counts_nothing(value: Any) -> None:
    assert size_of(value) == 0
    assert size_of((value,)) == sys.getsizeof((value,))


def test_arrays_count_their_bytes(numpy: Any) -> None:
    assert size_of(numpy.ones((3, 4))) == 96
    assert size_of([numpy.ones(2, "int8")] * 2) == sys.getsizeof([None] * 2) + 4


def test_what_only_looks_like_an_array_counts_nothing() -> None:
    """A traced length, or a method of the same name."""
    assert size_of(SimpleNamespace(nbytes=lambda: 8)) == 0
    assert size_of(SimpleNamespace(nbytes=None)) == 0
    assert size_of(array("d", [1.0])) == 0


def test_a_part_counts_for_the_whole_until_it_is_closed() -> None:
    whole = Account()
    first, second = Account(), Account()
    first.add(4)
    for part in (first, second):
        part.open(whole)
    first.add(-4)
    first.add(10)
    second.add(5)
    first.add(-3)
    assert (first.held, second.held, whole.held) == (7, 5, 12)
    first.close()
    first.close()
    first.add(100)
    assert (first.held, whole.held) == (107, 5)
    second.close()
    assert whole.held == 0
    whole.close()  # it is no part of anything


def test_what_is_kept_replaces_what_was() -> None:
    account = Account()
    kept, other = Kept(account), Kept(account)
    assert kept.made is None
    large, small = (1,) * 50, (1,)
    kept.keep(large)
    other.keep(small)
    assert kept.made is large
    assert account.held == size_of(large) + size_of(small)
    kept.keep(small)
    assert account.held == 2 * size_of(small)
    kept.keep(None)
    assert account.held == size_of(small) == other.size
