"""The spotter's settings: one place for how sensitive it is and how long it waits."""

from dataclasses import dataclass

from engines.errors import BadInput

LEAST_SENSITIVE, _MIDDLE, MOST_SENSITIVE = 1.0, 5.0, 9.0
"""Ends and middle of the dial."""
_STEP = 1.12
TICK_S = 0.005
"""Step of the even time grid on which movement is smoothed and judged, seconds."""
TICK_NS = 5_000_000
"""The same in nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpottingParameters:
    """Sensitivity and time scales; seconds and canthus-normalised pixels throughout, never frames."""

    sensitivity: float = 5.0
    """The dial: from 1, only what is beyond doubt, to 9, whatever might be a micro-expression. What each position
    finds, and costs in false alarms a minute, stands in the README; a step asks for 12 % more or less of a movement."""
    brow_factor: float = 1.0
    """A movement that is strongest at the brows must stand out so many times farther than the dial says …"""
    lid_factor: float = 1.5
    """… one at the lids …"""
    lower_face_factor: float = 1.0
    """… and one at nose, cheeks, mouth and chin."""
    quick_floor_px: float = 0.4
    """A region must move at least this far and back to count, however quiet the face is: movements as short as a
    micro-expression."""
    slow_floor_px: float = 1.0
    """The same for longer movements: the residue of head movement is as slow as they are."""
    quick_noise_factor: float = 6.0
    """Threshold in robust standard deviations (1.4826 MAD) of the quiet movement, for x and y apart: of movements as
    short as a micro-expression."""
    slow_noise_factor: float = 4.0
    """The same for longer movements."""
    joint_factor: float = 2.4
    """All regions together, as root of the sum of squares, must reach so many times the threshold of one: finds
    movements that are weak in each region."""
    together_factor: float = 1.3
    """Regions that moved together must reach so many times the threshold of one, unless one passes its own."""
    least_contrast: float = 1.7
    """A micro-expression must stand out of the line between before and after so many times farther than the limit of
    its contrast, which is the largest of the three that follow."""
    departure_contrast: float = 2.2
    """The same for what stands out of a movement that goes on."""
    contrast_floor_px: float = 0.3
    """However quiet the face is, the limit of a region's contrast is not below this."""
    own_contrast_factor: float = 3.0
    """Times the contrast that the region usually shows."""
    common_contrast_factor: float = 2.0
    """Times the contrast that most of the face shows at the same moment: the head's."""
    strays_fraction: float = 0.4
    """What stands out of a movement that goes on must not be its corner: beyond the line between before and after the
    movement strays no farther than this share of what stands out."""
    turn_factor: float = 1.5
    """While the head turns quickly a movement must stand out so many times farther."""
    blink_factor: float = 2.0
    """Beside a blink a movement of the brows must stand out so many times farther: they move with the lids."""
    noise_s: float = 8.0
    """Length of the sliding window for the noise; time inside candidates does not enter it."""
    quick_contrast_s: float = 0.2
    """Noise is how far quiet movement departs from the line between its positions so long before and after."""
    slow_contrast_s: float = 0.8
    """The same for longer movements; slow sway of the head shows here."""
    restless_s: float = 1.5
    """Time inside candidates counts as noise when a region has not rested for so long, or, for longer movements, for
    so long after the longest one."""
    quick_rest_s: float = 0.6
    """Length of the sliding window whose median is a region's rest, for movements as short as a micro-expression."""
    slow_rest_s: float = 1.5
    """The same for longer movements."""
    smoothing_s: float = 0.02
    """Standard deviation of the Gaussian low-pass, zero phase: 20 ms halve the amplitude at 9.4 Hz."""
    quick_return_fraction: float = 0.5
    """A short candidate has come back once it falls below this fraction of its peak; drift may hold it up."""
    slow_return_fraction: float = 0.35
    """The same for a longer one."""
    bound_fraction: float = 0.13
    """Onset and offset lie where the movement passes this share of its rise: some tenth of a pixel."""
    tangent_fraction: float = 0.45
    """Where noise hides that share, it is extrapolated along the tangent up to this one."""
    settle_s: float = 0.12
    """A movement that came back must hold its level this long before its offset is certain."""
    settle_longest_s: float = 0.35
    """Longest wait for that hold, for movements that fade away slowly."""
    merge_wait_s: float = 0.05
    """Longest further wait for other regions of the same expression to come back."""
    merge_overlap: float = 0.3
    """Regions belong to one expression when their intervals' intersection over union exceeds this."""
    part_fraction: float = 0.4
    """A movement inside a larger one is its part, not an expression, when weaker than this fraction of it."""
    blink_px: float = 3.0
    """Lids that move farther with no other region blink, also where no gate says so."""
    speech_movements: int = 2
    """So many movements of the lower face …"""
    speech_s: float = 1.5
    """… in so long before another one make it speech, not an expression."""
    talking_s: float = 0.8
    """So is one that is brief if the mouth, so long before it or right after it …"""
    talking_px: float = 0.8
    """… moves back and forth by more than this …"""
    talking_fraction: float = 0.8
    """… and by more than this share of it."""
    shortest_s: float = 0.04
    """Shorter movements are glitches: no facial muscle is quicker than 1/25 s."""
    micro_longest_s: float = 0.5
    """Micro-expressions last at most this long, from onset to offset …"""
    micro_tolerance_s: float = 0.04
    """… as far as onset and offset are known: measured, one may be so much longer."""
    micro_highest_px: float = 4.0
    """Movements as short that go farther are speech, a gesture or a misread picture; micro-expressions move the skin
    by one to three such pixels."""
    macro_longest_s: float = 4.0
    """Longer movements are changes of posture or drift."""
    lead_s: float = 0.75
    """How far before a candidate its onset is looked for; also the window of its prominence."""
    refractory_s: float = 0.2
    """A new rise in the same region so soon after a return belongs to the same movement."""
    gap_longest_s: float = 0.15
    """A longer pause between readable samples voids what is open."""
    learning_s: float = 0.25
    """How long a region's rest is learnt at the start and after a pause, before it can move."""

    def __post_init__(self) -> None:
        """Hold the dial's range."""
        if not LEAST_SENSITIVE <= self.sensitivity <= MOST_SENSITIVE:
            raise BadInput(
                f"sensitivity {self.sensitivity:g}: choose from {LEAST_SENSITIVE:g} (only what is beyond doubt) to "
                f"{MOST_SENSITIVE:g} (whatever might be a micro-expression)"
            )

    @property
    def reluctance(self) -> float:
        """How much more of a brief movement is asked for than at the middle of the dial."""
        return float(_STEP ** (_MIDDLE - self.sensitivity))
