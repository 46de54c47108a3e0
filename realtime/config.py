"""Every setting of a run in one place; each stage defines its own, with its default."""

from dataclasses import dataclass, field

from engines.errors import BadInput
from engines.flow.parameters import Tvl1Parameters
from realtime.faces.alignment import AlignmentParameters
from realtime.faces.tracker import TrackerParameters
from realtime.spotting.motion import MotionParameters
from realtime.spotting.spotter import SpottingParameters


@dataclass(frozen=True, kw_only=True)
class RecordingParameters:
    """What a run keeps, and how patient it is."""

    media: bool = True
    """Write pictures and a clip of each event."""
    report: bool = True
    """Write `report.html` at the end."""
    poll_s: float = 0.25
    """How often a run that waits for frames looks whether it should stop."""
    stall_s: float = 1.5
    """A live source that gives nothing for so long is reported."""
    give_up_s: float = 30.0
    """A live source that gives nothing for so long ends the run; everything found is kept."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not 0 < self.poll_s <= self.stall_s <= self.give_up_s:
            raise BadInput("recording: needs 0 < poll_s ≤ stall_s ≤ give_up_s; correct them")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Parameters of every stage of a run, live or replay."""

    tracking: TrackerParameters = field(default_factory=TrackerParameters)
    """Finding and following faces."""
    alignment: AlignmentParameters = field(default_factory=AlignmentParameters)
    """Setting a face upright in the canonical crop."""
    motion: MotionParameters = field(default_factory=MotionParameters)
    """Measuring regional movement."""
    spotting: SpottingParameters = field(default_factory=SpottingParameters)
    """Deciding what is an expression."""
    flow: Tvl1Parameters = field(default_factory=Tvl1Parameters)
    """TV-L1 from onset to apex."""
    recording: RecordingParameters = field(default_factory=RecordingParameters)
    """What is kept."""
