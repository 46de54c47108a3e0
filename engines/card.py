"""The model card: everything about a checkpoint that is not its weights."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from engines.errors import BadCheckpoint
from engines.inputs import NORMALISATIONS, RECIPES

CARD_FORMAT = 1
"""Raised when a card written by this version could be misread by an older one."""
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a checkpoint is, what it takes and gives, and how far it can be trusted."""

    model: str
    """Name of the model in the registry of `trainers`, such as "ststnet"."""
    paper: str
    """Citation of the publication that the model comes from."""
    recipe: str
    """How onset, apex and offset become a feature map: a name in `engines.inputs.RECIPES`."""
    normalisation: str
    """How a feature map becomes the model's tensor: a name in `engines.inputs.NORMALISATIONS`."""
    input_shape: tuple[int, int, int]
    """Channels, height and width of one input."""
    classes: tuple[str, ...]
    """Label names in the order of the model's outputs."""
    training_data: str
    """What it was trained on, in words."""
    protocol: str
    """How it was trained and scored, in words."""
    limits: str
    """What it should not be trusted with, in words."""
    input_dtype: str = "float32"
    output: Literal["logits", "probabilities"] = "logits"
    """What the model gives: logits pass through a softmax, probabilities are taken as they are."""
    test_time_mirror: bool = False
    """Average the probabilities of the map and of its mirror image, live and in evaluation."""
    parameters: int | None = None
    """Number of weights."""
    scores: Mapping[str, Any] = field(default_factory=dict)
    """Measured figures by name."""
    onset_version: str = ""
    """Version that wrote the checkpoint; filled in on writing."""
    created: str = ""
    """UTC time of writing, ISO 8601; filled in on writing where empty."""
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the checkpoint's other files; filled in on writing."""
    format: int = CARD_FORMAT

    def __post_init__(self) -> None:
        """Hold what reading and running rely on.

        Raises:
            BadCheckpoint: if a recipe, a normalisation or a shape makes no sense to this version.
        """
        if self.recipe not in RECIPES:
            raise BadCheckpoint(f"unknown recipe {self.recipe!r}: this version knows {', '.join(sorted(RECIPES))}")
        if self.normalisation not in NORMALISATIONS:
            known = ", ".join(sorted(NORMALISATIONS))
            raise BadCheckpoint(f"unknown normalisation {self.normalisation!r}: this version knows {known}")
        if self.input_dtype != "float32":
            raise BadCheckpoint(f"input of dtype {self.input_dtype!r}: this version feeds float32 only")
        self._check_shape()
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise BadCheckpoint(f"classes must be two or more different names, not {list(self.classes)}")
        if self.test_time_mirror and RECIPES[self.recipe].mirrored is None:
            raise BadCheckpoint(f"test_time_mirror is set, but a {self.recipe} map cannot be mirrored")

    def _check_shape(self) -> None:
        channels = RECIPES[self.recipe].channels
        if len(self.input_shape) != 3 or min(self.input_shape) < 1:
            raise BadCheckpoint(f"input_shape must be channels, height, width, not {list(self.input_shape)}")
        if self.input_shape[0] != channels:
            raise BadCheckpoint(f"recipe {self.recipe} gives {channels} channels, not {self.input_shape[0]}")

    def as_record(self) -> dict[str, Any]:
        """The card as it is written to `card.json`."""
        return {"format": self.format, **asdict(self)}

    @classmethod
    def from_record(cls, record: object) -> "ModelCard":
        """Read a card from parsed JSON; fields of later minor versions are passed over.

        Raises:
            BadCheckpoint: naming the field that is missing or wrong.
        """
        if not isinstance(record, dict):
            raise BadCheckpoint("card.json must hold one JSON object")
        _check_format(record.get("format"))
        known = {entry.name for entry in fields(cls)}
        required = [name for name in _KINDS if name not in record]
        if required:
            raise BadCheckpoint(f"card.json lacks {', '.join(required)}")
        for name, (kind, wanted) in _KINDS.items():
            if not isinstance(record[name], kind) or (kind is int and isinstance(record[name], bool)):
                raise BadCheckpoint(f"{name} in card.json must be {wanted}, not {record[name]!r}")
        if record["output"] not in ("logits", "probabilities"):
            raise BadCheckpoint(f"unknown output {record['output']!r}: it must be logits or probabilities")
        if not isinstance(record.get("parameters"), int | None):
            raise BadCheckpoint(f"parameters in card.json must be a count, not {record['parameters']!r}")
        values = {name: value for name, value in record.items() if name in known}
        values["input_shape"] = _whole_numbers(values["input_shape"])
        values["classes"] = _names(values["classes"])
        values["files"] = _hashes(values["files"])
        return cls(**values)


_KINDS: dict[str, tuple[type, str]] = {
    "model": (str, "a text"),
    "paper": (str, "a text"),
    "recipe": (str, "a text"),
    "normalisation": (str, "a text"),
    "input_shape": (list, "a list of three whole numbers"),
    "input_dtype": (str, "a text"),
    "output": (str, "a text"),
    "classes": (list, "a list of names"),
    "test_time_mirror": (bool, "true or false"),
    "training_data": (str, "a text"),
    "protocol": (str, "a text"),
    "scores": (dict, "an object"),
    "limits": (str, "a text"),
    "onset_version": (str, "a text"),
    "created": (str, "a text"),
    "files": (dict, "an object of SHA-256 sums"),
}


def _check_format(number: object) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise BadCheckpoint(f"format in card.json must be a whole number from 1, not {number!r}")
    if number > CARD_FORMAT:
        raise BadCheckpoint(
            f"format {number} is newer than this version reads ({CARD_FORMAT}): update onset-live or retrain"
        )


def _whole_numbers(values: list[object]) -> tuple[int, int, int]:
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if len(values) != 3 or len(numbers) != 3:
        raise BadCheckpoint(f"input_shape in card.json must be three whole numbers, not {values!r}")
    return numbers[0], numbers[1], numbers[2]


def _names(values: list[object]) -> tuple[str, ...]:
    names = tuple(value for value in values if isinstance(value, str))
    if len(names) != len(values):
        raise BadCheckpoint(f"classes in card.json must be names, not {values!r}")
    return names


def _hashes(values: dict[object, object]) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, str) or not SHA256.fullmatch(value):
            raise BadCheckpoint(f"files in card.json must map names to SHA-256 sums, not {name!r} to {value!r}")
        hashes[name] = value
    return hashes
