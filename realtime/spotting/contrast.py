"""Local contrast: what stands out of the face's own restlessness, wherever the face is on its way to."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from realtime.events import Side
from realtime.faces.landmarks import BROW_REGIONS, LID_REGIONS, REGION_NAMES
from realtime.spotting import contrast_kernel as kernel
from realtime.spotting.action_units import ACTION_UNITS
from realtime.spotting.parameters import TICK_S, SpottingParameters
from realtime.spotting.window import MotionWindow

BROWS, LIDS, LOWER_FACE = range(3)
"""Groups of regions that one movement can spread over."""
GROUPS = tuple(BROWS if name in BROW_REGIONS else LIDS if name in LID_REGIONS else LOWER_FACE for name in REGION_NAMES)
"""Group of each region; regions of a group are neighbours."""
CONTRAST_DELAY_TICKS = kernel.LONGEST
"""Ticks after a moment at which its contrast is known."""
BLINK = 45
"""Action unit that is no expression."""
LEAST_PART = 0.4
"""A combination has a pattern in a group where it moves that by so much of what it moves most."""
_USUAL_REACH = 3
"""Place in the reaches of the one, 0.19 s, that fits most micro-expressions."""
_MOST_FINDS = 64
TOGETHER = ((1, 2), (1, 4), (1, 2, 4), (4, 7), (6, 7), (6, 12), (12, 25), (15, 17), (10, 17))
"""Action units that often act at once, and look like neither alone."""


@cache
def _patterns() -> tuple[Float32[np.ndarray, "K regions 2"], Int64[np.ndarray, " K"]]:
    """What single action units and frequent combinations do to each group of regions, and which group that is."""
    units = {unit.number: unit for unit in ACTION_UNITS if unit.number != BLINK}
    found: list[tuple[int, np.ndarray]] = []
    for numbers in (*((number,) for number in units), *TOGETHER):
        sides: tuple[Side, ...] = ("both", "left", "right") if units[numbers[0]].two_sided else ("both",)
        for side in sides:
            whole = np.sum([units[number].pattern(side) for number in numbers], axis=0)
            for group in sorted(set(GROUPS)):
                part = np.where((np.array(GROUPS) == group)[:, None], whole, 0.0)
                if np.abs(part).max() >= LEAST_PART * np.abs(whole).max():
                    found.append((group, part))
    found.sort(key=lambda one: one[0])
    return np.array([part for _, part in found], np.float32), np.array([group for group, _ in found], np.int64)


class Find(NamedTuple):
    """A moment at which a group of regions stands out; ticks of the window's grid."""

    moment: int
    group: int
    reach: int
    """Ticks to either side between which it stands out most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a movement stands out."""

    score: float
    """Times its limit; NaN while the face's restlessness is not known."""
    largest_px: float
    """The largest contrast of a region of the group around it, canthus-normalised pixels."""


class LocalContrast:
    """Watches one face's window; see `contrast_kernel` for what is measured.

    Args:
        window: whose low-passed movement is read.
        parameters: how far a movement must stand out.
    """

    def __init__(self, window: MotionWindow, parameters: SpottingParameters) -> None:
        self._window = window
        self._least = parameters.reluctance * parameters.least_contrast
        ticks, regions, reaches = window.state.smooth.shape[0], window.regions, len(kernel.REACHES)
        groups = max(GROUPS) + 1
        patterns, owners = _patterns()
        self._state = kernel.ContrastState(
            entries=np.zeros((reaches, 2 * regions, kernel.ENTRIES), np.float32),
            counts=np.zeros((reaches, regions), np.int64),
            restlessness=np.full((reaches, 2 * regions), np.nan, np.float32),
            common=np.zeros((reaches, 2, ticks), np.float32),
            score=np.zeros((groups, ticks), np.float32),
            reach=np.zeros((groups, ticks), np.int64),
            largest=np.zeros((groups, ticks), np.float32),
            regions_to=np.searchsorted(GROUPS, np.arange(groups), side="right"),
            patterns=patterns,
            patterns_to=np.searchsorted(owners, np.arange(groups), side="right"),
            found=np.zeros((regions, 4), np.float32),
            clock=np.array([-1, -1, 0], np.int64),
            finds=np.zeros((_MOST_FINDS, 3), np.int64),
            factors=np.array(
                [
                    parameters.contrast_floor_px,
                    parameters.own_contrast_factor,
                    parameters.common_contrast_factor,
                    parameters.reluctance * min(parameters.least_contrast, parameters.departure_contrast),
                ],
                np.float32,
            ),
        )

    def push(self) -> list[Find]:
        """Take what is new in the window; the moments that have just been seen to stand out."""
        window = self._window
        return self._finds(kernel.look(self._state, window.state.smooth, window.run_start, window.settled))

    def finish(self) -> list[Find]:
        """Score the last moments of a run that has ended; those of them that stand out."""
        return self._finds(kernel.finish(self._state, self._window.state.smooth))

    def regions_at(self, find: Find) -> tuple[int, ...]:
        """The regions of a group that take part in a find, most outstanding first."""
        scale = kernel.REACHES.index(find.reach)
        mask = self._window.state.smooth.shape[0] - 1
        before, now, after = (
            self._window.state.smooth[(find.moment + step) & mask].reshape(-1, 2)
            for step in (-find.reach, 0, find.reach)
        )
        own = self._state.restlessness[scale].reshape(-1, 2)
        floor, factor = self._state.factors[kernel.FLOOR], self._state.factors[kernel.OWN]
        moved = np.linalg.norm((now - (before + after) / 2) / np.maximum(floor, factor * own), axis=1)
        moved[np.array(GROUPS) != find.group] = np.nan
        order = [region for region in np.argsort(-np.nan_to_num(moved), kind="stable").tolist() if moved[region] > 0]
        return tuple(region for region in order if moved[region] >= 0.5 * moved[order[0]])

    def standing(self, regions: tuple[int, ...], onset: float, offset: float, apex: float) -> Standing:
        """How far a movement stands out: the best moment between its bounds of the best of its regions' groups."""
        groups = sorted({GROUPS[region] for region in regions})
        inside, around = self._rows(onset, offset), self._rows(apex - 0.2 / TICK_S, apex + 0.2 / TICK_S)
        known = not np.isnan(self._state.restlessness[0, [2 * region for region in regions]]).all()
        score = float(self._state.score[groups][:, inside].max()) if known else np.nan
        return Standing(score=score, largest_px=float(self._state.largest[groups][:, around].max()))

    @property
    def limits_px(self) -> Float32[np.ndarray, " regions"]:
        """How far each region must move, and another with it, to stand out; NaN while its restlessness is not known."""
        across, down = self._state.restlessness[_USUAL_REACH].reshape(-1, 2).T
        floor, factor = (float(self._state.factors[place]) for place in (kernel.FLOOR, kernel.OWN))
        usual = np.maximum(floor, factor * np.sqrt(across * down))
        return np.asarray(self._least * usual / np.sqrt(2.0), np.float32)

    def _finds(self, count: int) -> list[Find]:
        return [
            Find(moment, group, kernel.REACHES[reach]) for moment, group, reach in self._state.finds[:count].tolist()
        ]

    def _rows(self, first: float, last: float) -> np.ndarray:
        """Rows of the moments from `first` to `last`: every one is looked at that is even."""
        start = int(first) - int(first) % kernel.STEP
        moments = np.arange(start, max(int(last), start) + 1, kernel.STEP)
        return moments & (self._window.state.smooth.shape[0] - 1)
