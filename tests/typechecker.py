"""Beartype as the tests use it: a whole number passes as a float, and `Self` is left to mypy."""

from collections.abc import Callable
from typing import Any, Self

from beartype import BeartypeConf, beartype

_check = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(checked: Callable[..., Any]) -> Callable[..., Any]:
    """Check the arguments and the result of one function.

    Methods are decorated one by one, and beartype can read `Self` only when it decorates the whole class.
    """
    hints = getattr(checked, "__annotations__", {})
    for name in [name for name, hint in hints.items() if hint is Self]:
        del hints[name]
    return _check(checked)
