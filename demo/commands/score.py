"""`onset score`: spotting metrics of event files against a truth file, or of published score curves."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from demo.score import MatchRules, score_table, score_videos, write_matches
from demo.score_tables import by_rate_table, by_video_table
from demo.scored_curves import Picking, curve_videos
from demo.scored_runs import Videos, read_videos
from engines.errors import BadInput
from trainers.metrics.interval_matching import MINIMUM_IOU, Matching


@dataclass(frozen=True, kw_only=True)
class Score:
    """Spotting metrics as in MEGC: hits at IoU ≥ 0.5, F1 for micro, macro and all, STRS, false alarms a minute.

    Scores the events of sessions (--truth and --events), or the curves of a spotting network (--curves).
    """

    truth: Path | None = None
    """truth.jsonl: one true expression a line."""
    events: tuple[Path, ...] = ()
    """Session folders, or files of events; each is matched with its video by name."""
    in_order: bool = False
    """Pair the videos, in the order of their names, with the events as given, whatever these are called."""
    curves: Path | None = None
    """Instead of events: an .npz file with a network's score a frame, SET_macro__VIDEO__score, and its true
    expressions, SET_macro__VIDEO__gt; peaks become events as published networks pick them."""
    picking: Annotated[Picking, tyro.conf.arg(name="")] = field(default_factory=Picking)
    """For --curves."""
    minimum_iou: float = MINIMUM_IOU
    """Intersection over union from which an event is a hit."""
    matching: Matching = "best"
    """Where an interval could go with several: the pairing with the most hits, or, as published code does, each event
    in turn with the truth that it overlaps most."""
    matches: Path | None = None
    """Write a table (.csv) of every truth with its event, IoU and errors, and of every false alarm."""
    by_video: bool = False
    """Print a row for each video too."""
    json: bool = False
    """Print one JSON object instead of tables."""

    def run(self) -> int:
        """Match and score."""
        if not 0 < self.minimum_iou <= 1:
            raise BadInput(f"--minimum-iou {self.minimum_iou}: must be above 0 and at most 1")
        videos, rules = self._read(), MatchRules(minimum_iou=self.minimum_iou, matching=self.matching)
        result = score_videos(videos, rules)
        if self.matches is not None:
            write_matches(videos, rules, self.matches)
        for note in videos.notes:
            print(f"onset: {note}", file=sys.stderr)
        if self.json:
            print(json.dumps(result))
            return 0
        console = Console()
        console.print(score_table(result))
        if (rates := by_rate_table(result)) is not None:
            console.print(rates)
        if self.by_video:
            console.print(by_video_table(result))
        return 0

    def _read(self) -> Videos:
        if self.curves is not None:
            if self.truth is not None or self.events:
                raise BadInput("score: --curves holds truth and scores; give it without --truth and --events")
            return curve_videos(self.curves, self.picking)
        if self.truth is None or not self.events:
            raise BadInput("score: give --truth FILE and --events SESSION…, or --curves FILE.npz")
        return read_videos(self.truth, self.events, in_order=self.in_order)


def defaults(_words: Sequence[str]) -> Score:
    """Defaults under the flags."""
    return Score()


COMMAND = Score
