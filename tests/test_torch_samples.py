"""torch's own samples of right and of wrong calls of `torch.gradient`.

They are those that torch tests its operators with; the module is internal to torch.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import anygrad

# torch's testing modules need more than torch: NumPy and expecttest.
pytestmark = pytest.mark.peers

#: Where anygrad accepts, or says in another class of error, what torch refuses.
DEVIATIONS = {
    # torch raises RuntimeError for wrong values, where Python has ValueError.
    RuntimeError: ValueError,
    IndexError: IndexError,
}


@pytest.fixture
def operator(torch: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    (found,) = (op for op in op_db if op.name == "gradient")
    return found


def samples(operator: Any, dtype: Any, requires_grad: bool = False) -> Iterator[Any]:
    yield from operator.sample_inputs("cpu", dtype, requires_grad=requires_grad)


def test_sample_inputs(torch: Any, operator: Any) -> None:
    """The same numbers; for integers, those that torch has for doubles.

    torch subtracts small integers in their own dtype, where they wrap.
    """
    count = 0
    for dtype in operator.dtypes:
        floating = dtype.is_floating_point or dtype.is_complex
        for sample in samples(operator, dtype):
            results = anygrad.gradient(sample.input, **sample.kwargs)
            f = sample.input if floating else sample.input.double()
            wanted = torch.gradient(f, **sample.kwargs)
            for result, target in zip(results, wanted, strict=True):
                expected = dtype if floating else torch.get_default_dtype()
                assert result.dtype == expected
                digits = torch.finfo(expected).eps
                size = target.abs().max()
                limit = float(digits * size) * 16
                assert result.allclose(target.to(expected), rtol=0, atol=limit)
                count += 1
    assert count > 100


def test_derivatives_of_sample_inputs(torch: Any, operator: Any) -> None:
    for sample in samples(operator, torch.float64, requires_grad=True):
        assert torch.autograd.gradcheck(
            lambda f, kwargs=sample.kwargs: anygrad.gradient(f, **kwargs),
            (sample.input,),
            check_forward_ad=True,
            check_batched_grad=True,
        )


def test_error_inputs(torch: Any, operator: Any) -> None:
    """All are refused; torch's RuntimeErrors are ValueErrors here."""
    count = 0
    for error in operator.error_inputs("cpu"):
        given = error.sample_input
        with pytest.raises(DEVIATIONS[error.error_type], match=r"^`\w+(\[\d\])?` "):
            anygrad.gradient(given.input, **given.kwargs)
        count += 1
    assert count > 10
