"""One thing that was looked at, and the guard around every look."""

import importlib.metadata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engines.errors import first_line

State = Literal["ok", "missing", "unusable"]

REINSTALL = "reinstall onset-live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
    """What was found, or what is wrong."""
    remedy: str = ""
    """What to do about it; empty where nothing needs doing."""
    required: bool = True
    """Whether replay needs it; the rest widens what can be done."""

    def as_record(self) -> dict[str, Any]:
        """The finding as JSON."""
        return asdict(self)


def guarded(name: str, look: Callable[[], Iterable[Finding]], *, required: bool = True) -> list[Finding]:
    """The findings of a look; one that fails is a finding itself, of the name that is given."""
    try:
        return list(look())
    except Exception as fault:  # an examination reports what fails; it does not fail itself
        return [Finding(name=name, state="unusable", detail=first_line(fault), remedy=REINSTALL, required=required)]


def version(distribution: str) -> str:
    """Version of an installed distribution, in words."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"
