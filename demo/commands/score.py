"""`onset score`: spotting metrics of event files against a truth file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console

from demo.score import score, score_table
from engines.errors import BadInput
from trainers.metrics.spotting import MINIMUM_IOU


@dataclass(frozen=True, kw_only=True)
class Score:
    """Spotting metrics as in MEGC: hits at IoU ≥ 0.5, F1 for micro, macro and all, errors, false alarms a minute."""

    truth: Path
    """truth.jsonl: one true expression a line."""
    events: tuple[Path, ...]
    """Session folders, or files of events; each is matched with its video by name."""
    minimum_iou: float = MINIMUM_IOU
    """Intersection over union from which an event is a hit."""
    json: bool = False
    """Print one JSON object instead of a table."""

    def run(self) -> int:
        """Match and score."""
        if not 0 < self.minimum_iou <= 1:
            raise BadInput(f"--minimum-iou {self.minimum_iou}: must be above 0 and at most 1")
        result = score(self.truth, self.events, self.minimum_iou)
        if self.json:
            print(json.dumps(result))
        else:
            Console().print(score_table(result))
        return 0


def defaults(_words: Sequence[str]) -> Score:
    """Defaults under the flags."""
    return Score(truth=tyro.MISSING, events=tyro.MISSING)


COMMAND = Score
