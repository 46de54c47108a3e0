"""Real footage in the spotting bench: as it is, for false alarms, and with inserted movements, for recall."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from demo.benchmarks.spotting_chain import movement_of, spot
from demo.benchmarks.spotting_takes import Outcome, event_intervals, spot_at_positions, true_intervals
from engines.errors import BadInput
from realtime.clock import NANOSECONDS
from realtime.faces.landmarks import BROW_REGIONS, MASKED_REGIONS, REGION_NAMES
from realtime.sources import Source, VideoFile
from realtime.spotting.sample import MotionSample
from trainers.datasets.inserted_course import LONGEST_GAP_S, FaceCourse, follow_face
from trainers.datasets.inserted_footage import InsertedFootage
from trainers.datasets.inserted_movement import BROW_UNITS, EVERY_UNIT, InsertionParameters, plan_insertions
from trainers.datasets.inserted_videos import inserted_records

SUFFIXES = frozenset({".mp4", ".mov", ".mpg", ".mpeg", ".avi", ".mkv", ".webm", ".m4v", ".wmv"})
PLANS = 4
"""Plans of insertions drawn for each recording: short ones have room for few at a time."""

CALM_PX, CALM_S = 3.0, 0.3
"""A face is calm where no region moves further by itself, from so long before a movement until so long after: the
largest of what is inserted, and little for a face that talks or feels."""

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
        return f"{self.path}-{self.what}-{self.seed}"


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
        BadInput: if a file is not there or cannot be read, or a folder holds no video.
    """
    insertions: tuple[What, ...] = ("brows", "all")
    takes = []
    for path in footage_files(given):
        with VideoFile(path):  # a file that cannot be read is found out before hours of work, not after
            pass
        takes.append(FootageTake(path=path, what="untouched"))
        takes += [FootageTake(path=path, what=what, seed=seed) for what in insertions for seed in range(plans)]
    return takes


def play_footage(take: FootageTake) -> Outcome:
    """Spot in a recording, with what the take says put in."""
    course = follow_face(VideoFile(take.path))
    recording: Source = VideoFile(take.path)
    records = []
    calm: list[bool] = []
    readable: list[bool] = []
    if take.what != "untouched":
        wanted = InsertionParameters(action_units=BROW_UNITS if take.what == "brows" else EVERY_UNIT)
        inserted = InsertedFootage(recording, course, plan_insertions(course, wanted, seed=take.seed))
        records = inserted_records(inserted, course.times_ns.tolist())
        recording = inserted
        regions = BROW_REGIONS if take.what == "brows" else frozenset(REGION_NAMES)
        own = list(movement_of(VideoFile(take.path)))
        calm = [unrest_px(own, one["onset_s"] - CALM_S, one["offset_s"] + CALM_S, regions) < CALM_PX for one in records]
        readable = [is_readable(own, one["onset_s"], one["offset_s"], one["amplitude_px"], regions) for one in records]
    samples = list(movement_of(recording))
    events, rejected = spot(samples)
    gaps_s = np.diff(course.times_ns) / NANOSECONDS
    return Outcome(
        name=take.name,
        condition=take.what,
        rate_hz=float(1.0 / np.median(gaps_s)) if len(gaps_s) else 0.0,
        identity=take.path.name,
        duration_s=watched_s(course),
        truths=true_intervals(records, take.name),
        amplitudes_px=[record["amplitude_px"] for record in records],
        calm=calm,
        readable=readable,
        events=event_intervals(events, take.name),
        rejected=len(rejected),
        at_positions=spot_at_positions(samples, take.name),
    )


def unrest_px(
    samples: Sequence[MotionSample], start_s: float, end_s: float, regions: Collection[str] = REGION_NAMES
) -> float:
    """How far a face moves by itself between two times.

    Args:
        samples: regional movement, in time order.
        start_s: time in the recording.
        end_s: time in the recording.
        regions: which regions count.

    Returns:
        Longest way between two places of any of the regions, canthus-normalised pixels; infinite where one of them
        cannot be read all the time.
    """
    rows = [place for place, name in enumerate(REGION_NAMES) if name in regions]
    courses = [one.displacement[rows] for one in samples if start_s <= one.time_ns / NANOSECONDS <= end_s]
    if not courses or not np.isfinite(courses).all():
        return float("inf")
    places = np.swapaxes(np.array(courses), 0, 1)
    return float(np.linalg.norm(places[:, :, None] - places[:, None, :], axis=-1).max())


def is_readable(
    samples: Sequence[MotionSample],
    start_s: float,
    end_s: float,
    amplitude_px: float,
    regions: Collection[str] = frozenset(REGION_NAMES),
) -> bool:
    """Whether a movement put in between two times could be told from what the face does.

    Args:
        samples: regional movement of the face as it is, in time order.
        start_s: time in the recording.
        end_s: time in the recording.
        amplitude_px: of what is put in, canthus-normalised pixels.
        regions: which regions count.

    Returns:
        True where no gate hides any of the regions, and none of them moves as far by itself.
    """
    gates = {gate for one in samples if start_s <= one.time_ns / NANOSECONDS <= end_s for gate in one.gates}
    if any(MASKED_REGIONS[gate] & frozenset(regions) for gate in gates):
        return False
    return unrest_px(samples, start_s, end_s, regions) < amplitude_px


def watched_s(course: FaceCourse) -> float:
    """How long a face could be seen, seconds: false alarms are counted by this time."""
    gaps_s = np.diff(course.times_ns) / NANOSECONDS
    return float(np.minimum(gaps_s, LONGEST_GAP_S)[np.isfinite(course.yaw_deg[1:])].sum())
