"""Real footage in the spotting bench: as it is, for false alarms, and with inserted movements, for recall."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from demo.benchmarks.spotting_chain import movement_of, spot
from demo.benchmarks.spotting_takes import Outcome, event_intervals, true_intervals
from engines.errors import BadInput
from realtime.clock import NANOSECONDS
from realtime.sources import Source, VideoFile
from trainers.datasets.inserted_course import LONGEST_GAP_S, FaceCourse, follow_face
from trainers.datasets.inserted_footage import InsertedFootage
from trainers.datasets.inserted_movement import BROW_UNITS, EVERY_UNIT, InsertionParameters, plan_insertions
from trainers.datasets.inserted_videos import inserted_records

SUFFIXES = frozenset({".mp4", ".mov", ".mpg", ".mpeg", ".avi", ".mkv", ".webm", ".m4v", ".wmv"})
PLANS = 4
"""Plans of insertions drawn for each recording: short ones have room for few at a time."""

What = Literal["untouched", "brows", "all"]
"""What is inserted: nothing, movements of the brows alone, or of the whole face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FootageTake:
    """One recording played once."""

    path: Path
    what: What
    seed: int = 0

    @property
    def name(self) -> str:
        """Unique among the takes of a run."""
        return f"{self.path.name}-{self.what}-{self.seed}"


def footage_files(given: Sequence[Path]) -> list[Path]:
    """Video files that were given, and those in the folders that were given.

    Args:
        given: files and folders.

    Raises:
        BadInput: if one is not there or a folder holds no video.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
            if not inside:
                raise BadInput(f"{path}: holds no video; give a folder of recordings of faces")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise BadInput(f"{path}: there is no such file or folder; give recordings of faces")
    return found


def plan_footage(given: Sequence[Path], *, plans: int = PLANS) -> list[FootageTake]:
    """Each recording untouched, and with insertions into the brows and anywhere, `plans` times each.

    Args:
        given: files and folders.
        plans: draws of insertions a recording.

    Raises:
        BadInput: if a file is not there or a folder holds no video.
    """
    insertions: tuple[What, ...] = ("brows", "all")
    takes = []
    for path in footage_files(given):
        takes.append(FootageTake(path=path, what="untouched"))
        takes += [FootageTake(path=path, what=what, seed=seed) for what in insertions for seed in range(plans)]
    return takes


def play_footage(take: FootageTake) -> Outcome:
    """Spot in a recording, with what the take says put in."""
    course = follow_face(VideoFile(take.path))
    recording: Source = VideoFile(take.path)
    records = []
    if take.what != "untouched":
        wanted = InsertionParameters(action_units=BROW_UNITS if take.what == "brows" else EVERY_UNIT)
        inserted = InsertedFootage(recording, course, plan_insertions(course, wanted, seed=take.seed))
        records = inserted_records(inserted, course.times_ns.tolist())
        recording = inserted
    events, rejected = spot(movement_of(recording))
    gaps_s = np.diff(course.times_ns) / NANOSECONDS
    return Outcome(
        name=take.name,
        condition=take.what,
        rate_hz=float(1.0 / np.median(gaps_s)) if len(gaps_s) else 0.0,
        identity=take.path.name,
        duration_s=watched_s(course),
        truths=true_intervals(records, take.name),
        amplitudes_px=[record["amplitude_px"] for record in records],
        events=event_intervals(events, take.name),
        rejected=len(rejected),
    )


def watched_s(course: FaceCourse) -> float:
    """How long a face could be seen, seconds: false alarms are counted by this time."""
    gaps_s = np.diff(course.times_ns) / NANOSECONDS
    return float(np.minimum(gaps_s, LONGEST_GAP_S)[np.isfinite(course.yaw_deg[1:])].sum())
