"""What the tests of the public suite share: its checks by name, and their verdicts."""

from __future__ import annotations

from typing import Any

import anygrad
from anygrad import testing

BY_NAME = {check.__name__: check for check in testing.checks}

#: What anygrad has besides its gradient.
FUNCTIONS = (*("derivative", "divergence", "curl", "laplacian", "jacobian", "hessian"),)


def verdicts(
    gradient: Any, xp: Any, *names: str, functions: Any = anygrad
) -> list[testing.Verdict]:
    from anygrad.testing import _running

    return [_running._verdict(BY_NAME[name], gradient, xp, functions) for name in names]
