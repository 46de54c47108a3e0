"""A TOML file over the defaults of frozen dataclasses: unknown keys and wrong types are named and refused."""

import dataclasses
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Literal, TypeVar

from engines.errors import BadInput

Settings = TypeVar("Settings")


def load_configuration(path: Path, defaults: Settings) -> Settings:
    """Defaults with the values of a TOML file laid over them.

    Args:
        path: the file; its tables are named after the fields that hold them.
        defaults: a dataclass instance, of dataclasses and plain values.

    Raises:
        BadInput: the file is missing or not TOML, or a key is unknown or has a value of the wrong kind.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise BadInput(f"{path}: the configuration cannot be read ({fault.strerror}); check --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadInput(f"{path}: the configuration is not TOML ({fault}); correct that line") from None
    return _overlaid(defaults, table, path, prefix="")


def _overlaid(defaults: Settings, table: dict[str, Any], path: Path, prefix: str) -> Settings:
    kinds = typing.get_type_hints(type(defaults))
    known = [field.name for field in dataclasses.fields(defaults)]  # type: ignore[arg-type]  # always a dataclass
    changes: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if key not in known:
            raise BadInput(f"{path}: unknown key '{name}'; known here: {', '.join(known)}")
        current = getattr(defaults, key)
        if dataclasses.is_dataclass(current):
            if not isinstance(value, dict):
                raise BadInput(f"{path}: '{name}' must be a table ([{name}]), not {value!r}")
            changes[key] = _overlaid(current, value, path, prefix=f"{name}.")
        else:
            changes[key] = _converted(value, kinds[key], name, path)
    try:
        return dataclasses.replace(defaults, **changes)  # type: ignore[type-var]  # always a dataclass
    except BadInput as fault:
        raise BadInput(f"{path}: {fault}") from None


def _converted(value: Any, kind: Any, name: str, path: Path) -> Any:
    """The value as the field wants it; TOML has no tuples and writes whole floats as integers."""
    for candidate in typing.get_args(kind) if _is_union(kind) else (kind,):
        if _fits(value, candidate):
            if candidate is float:
                return float(value)
            return tuple(value) if isinstance(value, list) else value
    wanted = getattr(kind, "__name__", str(kind))
    raise BadInput(f"{path}: '{name}' must be of kind {wanted}, not {value!r}")


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _fits(value: Any, kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin is Literal:
        return value in typing.get_args(kind)
    if origin is tuple:
        return isinstance(value, list)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(kind, type) and isinstance(value, kind)
