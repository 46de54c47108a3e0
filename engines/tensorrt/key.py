"""What an engine was built from and for: two engines with one key are interchangeable."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from engines.errors import BadInput
from engines.tensorrt.flavour import FlavourName

Precision = Literal["fp32", "fp16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""In the order of preference: what agrees best with ONNX Runtime first."""
LARGEST_BATCH = 256
"""Most maps in one call, unless told otherwise."""
USUAL_BATCH = 2
"""What live use asks for, an event and its mirror image: TensorRT tunes for it."""
MOST_MAPS = 4096
"""A larger batch gains nothing and takes memory by the gigabyte."""
_CAPABILITY = re.compile(r"[1-9]\d?\.\d")
_HASH_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKey:
    """Everything that decides whether an engine fits: model, flavour, version, cards, precision, batch sizes."""

    model_sha256: str
    """Of the checkpoint's `model.onnx`."""
    flavour: FlavourName
    version: str
    """Of TensorRT, in full: an engine runs in no other."""
    capabilities: tuple[str, ...]
    """Compute capabilities that it was built for, ascending."""
    precision: Precision
    profile: tuple[int, int, int]
    """Smallest, usual and largest batch."""

    @property
    def name(self) -> str:
        """File stem: readable, and unlike that of any other key: `rtx-fp32-sm86-sm89-0123456789`."""
        content = json.dumps(asdict(self), sort_keys=True).encode()
        cards = (f"sm{capability.replace('.', '')}" for capability in self.capabilities)
        parts = (self.flavour, self.precision, *cards, hashlib.sha256(content).hexdigest()[:_HASH_DIGITS])
        return "-".join(parts)

    @property
    def cards(self) -> str:
        """The compute capabilities in words: "8.6, 8.9"."""
        return ", ".join(self.capabilities)


def checked_capabilities(capabilities: Iterable[str]) -> tuple[str, ...]:
    """Compute capabilities in ascending order, each once.

    Args:
        capabilities: as a user writes them, such as "8.9".

    Raises:
        BadInput: if one is not written like that.
    """
    wanted = set(capabilities)
    for capability in sorted(wanted):
        if not _CAPABILITY.fullmatch(capability):
            raise BadInput(f"compute capability {capability!r}: write it like 8.9, as `onset doctor` shows it")
    return tuple(sorted(wanted, key=lambda capability: tuple(int(part) for part in capability.split("."))))


def batch_profile(largest: int = LARGEST_BATCH) -> tuple[int, int, int]:
    """Smallest, usual and largest batch of an engine.

    Raises:
        BadInput: if the largest is not from 1 to `MOST_MAPS`.
    """
    if not 1 <= largest <= MOST_MAPS:
        raise BadInput(f"largest batch {largest}: it must be from 1 to {MOST_MAPS}")
    return 1, min(USUAL_BATCH, largest), largest


def checked_precision(precision: str) -> Precision:
    """A precision by its name.

    Raises:
        BadInput: if there is none of that name.
    """
    for known in PRECISIONS:
        if precision == known:
            return known
    raise BadInput(f"precision {precision!r} is unknown: use one of {', '.join(PRECISIONS)}")
