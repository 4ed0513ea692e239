"""From the checks to verdicts, and to the caller's own tests."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from ..testing._arrays import Gradient, NotApplicable, standard_namespace, stop_unless
from ..testing._checks import Check, checks

#: Where functions beside the gradient are found, by name.
Functions: TypeAlias = Mapping[str, Any] | Any


class Verdict(NamedTuple):
    """What a check has found.

    Attributes
    ----------
    name : str
        The name of the check.
    outcome : {"kept", "broken", "not applicable"}
        The last if the promise is about something that does not exist: such
        arrays in the library, a keyword of the gradient, or a function.
    reason : str
        What went wrong, or is missing; empty if the promise is kept.
    """

    name: str
    outcome: str
    reason: str = ""


def run_checks(
    gradient: Gradient, xp: Any, *, functions: Functions | None = None
) -> list[Verdict]:
    """Hold a gradient to every promise, on arrays of one library.

    Parameters
    ----------
    gradient : callable
        Called with `input` and the keywords `spacing`, `dim`, `edge_order` and
        `axis`, as `anygrad.gradient` is.  Promises about the keywords
        `accuracy`, `boundary`, `where` and `stack_dim` do not apply if it has
        no such keyword.
    xp : module
        The namespace in which arrays are made, e.g. `numpy` or `jax.numpy`.
    functions : module, other object, or mapping from str to callable, optional
        Where the functions `derivative`, `divergence`, `curl`, `laplacian`,
        `jacobian` and `hessian` are found, e.g. the module `anygrad`.
        Promises about a function that is missing do not apply.

    Returns
    -------
    list of Verdict
        One for each of the checks, in their order.

    See Also
    --------
    parametrize_with_checks : The same as tests for pytest.

    Notes
    -----
    Warnings are ignored: they are not part of the promises.

    Examples
    --------
    >>> import numpy as np
    >>> from anygrad.testing import gradient_of, run_checks
    >>> verdicts = run_checks(gradient_of("numpy"), np)
    >>> reasons = {verdict.name: verdict.reason for verdict in verdicts}
    >>> reasons["check_large_integers_are_exact"]
    '0.0 where 1.0 was wanted, at flat index 0'
    """
    xp = standard_namespace(xp)
    return [_verdict(check, gradient, xp, functions) for check in checks]


def _verdict(
    check: Check, gradient: Gradient, xp: Any, functions: Functions | None
) -> Verdict:
    try:
        _hold(check, gradient, xp, functions)
    except NotApplicable as reason:
        return Verdict(check.__name__, "not applicable", str(reason))
    except AssertionError as error:
        return Verdict(check.__name__, "broken", _brief(str(error)))
    except Exception as error:  # noqa: BLE001 - what a gradient raises is a finding
        text = f"{type(error).__name__}: {error}"
        return Verdict(check.__name__, "broken", _brief(text))
    return Verdict(check.__name__, "kept")


def _hold(
    check: Check, gradient: Gradient, xp: Any, functions: Functions | None
) -> None:
    """Call a check with the functions that its parameters are named after."""
    *names, _ = inspect.signature(check).parameters
    given = [
        gradient if name == "gradient" else _function(name, functions) for name in names
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(*given, xp)


def _function(name: str, functions: Functions | None) -> Any:
    """Return a function beside the gradient."""
    found = (
        functions.get(name)
        if isinstance(functions, Mapping)
        else getattr(functions, name, None)
    )
    stop_unless(found is not None, f"there is no function {name}")
    return found


def _brief(text: str) -> str:
    line = (text.splitlines() or [""])[0]
    return line if len(line) <= 120 else f"{line[:117]}..."


def parametrize_with_checks(
    gradient: Gradient,
    xp: Any,
    *,
    functions: Functions | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Turn every promise into a pytest test of its own.

    It decorates a test function that has the argument ``check`` and calls it.
    A promise that does not apply is skipped, with the reason.

    Parameters
    ----------
    gradient : callable
        Called with `input` and the keywords `spacing`, `dim`, `edge_order` and
        `axis`, as `anygrad.gradient` is.  Promises about the keywords
        `accuracy`, `boundary`, `where` and `stack_dim` do not apply if it has
        no such keyword.
    xp : module
        The namespace in which arrays are made, e.g. `numpy` or `jax.numpy`.
    functions : module, other object, or mapping from str to callable, optional
        Where the functions `derivative`, `divergence`, `curl`, `laplacian`,
        `jacobian` and `hessian` are found, e.g. the module `anygrad`.
        Promises about a function that is missing do not apply.
    expected_failures : mapping from str to str, optional
        The promises that are known to be broken: the names of checks, each
        with a reason.  They are strict: one that is kept after all fails.

    Returns
    -------
    callable
        A decorator, made by `pytest.mark.parametrize`.

    Raises
    ------
    ValueError
        If a name in `expected_failures` is not that of a check.

    See Also
    --------
    run_checks : The same without pytest.

    Examples
    --------
    >>> import anygrad, numpy
    >>> from anygrad.testing import parametrize_with_checks
    >>> @parametrize_with_checks(anygrad.gradient, numpy, functions=anygrad)
    ... def test_promises(check):
    ...     check()
    """
    import pytest

    failures = dict(expected_failures or {})
    for name in failures.keys() - {check.__name__ for check in checks}:
        msg = (
            "`expected_failures` must name checks. "
            f"Got {name!r}. The names are in `anygrad.testing.checks`."
        )
        raise ValueError(msg)
    return pytest.mark.parametrize(
        "check",
        [
            pytest.param(
                _Test(check, gradient, xp, functions),
                id=check.__name__,
                marks=[pytest.mark.xfail(strict=True, reason=failures[check.__name__])]
                if check.__name__ in failures
                else [],
            )
            for check in checks
        ],
    )


class _Test(NamedTuple):
    """A check with all that it needs, to be called by a test."""

    check: Check
    gradient: Gradient
    xp: Any
    functions: Functions | None

    def __call__(self) -> None:
        import pytest

        try:
            xp = standard_namespace(self.xp)
            _hold(self.check, self.gradient, xp, self.functions)
        except NotApplicable as reason:
            pytest.skip(f"not applicable: {reason}")
