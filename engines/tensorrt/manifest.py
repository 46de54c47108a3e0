"""The manifest beside an engine: its key, its SHA-256 sum and how it came about."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from engines.card import SHA256
from engines.errors import BadCheckpoint
from engines.tensorrt.flavour import FlavourName
from engines.tensorrt.key import EngineKey, Precision

MANIFEST_FORMAT = 1
"""Raised when a manifest written by this version could be misread by an older one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineManifest:
    """What lies in an engine file; nothing of it is taken from the engine itself."""

    key: EngineKey
    engine_sha256: str
    engine_bytes: int
    build_seconds: float
    input_name: str
    """Of the graph's input, float32 of shape (batch, *input_shape)."""
    input_shape: tuple[int, int, int]
    """Channels, height and width of one input."""
    output_name: str
    """Of the graph's output, float32 of shape (batch, output_count)."""
    output_count: int
    created: str
    """UTC time of building, ISO 8601."""
    onset_version: str
    format: int = MANIFEST_FORMAT

    def as_json(self) -> str:
        """The manifest as it is written beside the engine."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> "EngineManifest":
        """Read and check a manifest.

        Raises:
            BadCheckpoint: if it cannot be read or lacks something; one line that names the file.
        """
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            return cls._from_record(record)
        except (OSError, ValueError, KeyError, TypeError) as fault:
            reason = f"lacks {fault}" if isinstance(fault, KeyError) else str(fault)
            raise BadCheckpoint(f"manifest {path} cannot be used ({reason}): build the engine again") from None

    @classmethod
    def _from_record(cls, record: object) -> "EngineManifest":
        if not isinstance(record, dict):
            raise TypeError("it holds no JSON object")
        if _typed(record, "format", int) > MANIFEST_FORMAT:
            raise ValueError(f"format {record['format']} is newer than this version reads")
        return cls(
            key=_key(_typed(record, "key", dict)),
            engine_sha256=_sha256(record, "engine_sha256"),
            engine_bytes=_typed(record, "engine_bytes", int),
            build_seconds=float(_typed(record, "build_seconds", int | float)),
            input_name=_typed(record, "input_name", str),
            input_shape=_three(record, "input_shape"),
            output_name=_typed(record, "output_name", str),
            output_count=_typed(record, "output_count", int),
            created=_typed(record, "created", str),
            onset_version=_typed(record, "onset_version", str),
            format=record["format"],
        )


def _key(record: Mapping[str, Any]) -> EngineKey:
    capabilities = _typed(record, "capabilities", list)
    if not capabilities or not all(isinstance(capability, str) for capability in capabilities):
        raise ValueError("capabilities must be a list of texts")
    return EngineKey(
        model_sha256=_sha256(record, "model_sha256"),
        flavour=_one_of(record, "flavour", get_args(FlavourName)),
        version=_typed(record, "version", str),
        capabilities=tuple(capabilities),
        precision=_one_of(record, "precision", get_args(Precision)),
        profile=_three(record, "profile"),
    )


def _typed(record: Mapping[str, Any], name: str, kind: Any) -> Any:
    value = record[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}")
    return value


def _sha256(record: Mapping[str, Any], name: str) -> str:
    value: str = _typed(record, name, str)
    if not SHA256.fullmatch(value):
        raise ValueError(f"{name} is no SHA-256 sum")
    return value


def _one_of(record: Mapping[str, Any], name: str, known: tuple[Any, ...]) -> Any:
    if record[name] not in known:
        raise ValueError(f"{name} {record[name]!r} is none of {', '.join(known)}")
    return record[name]


def _three(record: Mapping[str, Any], name: str) -> tuple[int, int, int]:
    values = _typed(record, name, list)
    if len(values) != 3 or not all(type(value) is int and value > 0 for value in values):
        raise ValueError(f"{name} must be three whole numbers, not {values!r}")
    return values[0], values[1], values[2]
