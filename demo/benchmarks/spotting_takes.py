"""What the spotting bench films: portraits under one condition after another, with the same scripts under each."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from demo.benchmarks.spotting_chain import movement_of, spot
from realtime.clock import NANOSECONDS
from realtime.events import ExpressionEvent
from realtime.spotting.parameters import SpottingParameters
from realtime.spotting.sample import MotionSample
from trainers.datasets.inserted_movement import BROW_UNITS
from trainers.datasets.synthetic_face import SHIPPED_FACES
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import SceneParameters
from trainers.datasets.synthetic_videos import GENTLE, PRESETS, Filming, write_video
from trainers.metrics.spotting import Interval

RATES_HZ = (30.0, 60.0, 100.0, 200.0)
"""Rates of the main condition, `NATURAL`; all others are filmed at `USUAL_HZ`."""
USUAL_HZ = 30.0
NATURAL, CLEAN = "natural", "clean"
QUALITY = 14
"""Constant rate factor of H.264: half a megabit a second for a clean picture, several for a noisy one, as a camera
application records. (At 20 a clean picture takes a tenth of a megabit: more compressed than any call.)"""
POSITIONS = (1.0, 3.0, 5.0, 7.0, 9.0)
"""Of the sensitivity dial; the middle one is the default."""
FIRST_SEED = 800
"""No parameter was chosen on the scripts from here on."""
TAKE_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One way in which a face is seen."""

    scene: SceneParameters
    filming: Filming = field(default_factory=lambda: Filming(quality=QUALITY))


CONDITIONS: dict[str, Condition] = {
    CLEAN: Condition(scene=GENTLE),
    "still": Condition(scene=PRESETS["still"]),
    NATURAL: Condition(scene=PRESETS["natural"]),
    "blinks": Condition(scene=PRESETS["blinks"]),
    "speech": Condition(
        # A talking mouth hides what the lips do besides: the upper face alone shows expressions.
        scene=replace(PRESETS["speech"], labels=("negative", "surprise"), action_units=(*BROW_UNITS, (4, 7), (1, 2, 5)))
    ),
    "glasses": Condition(scene=PRESETS["glasses"]),
    "dark": Condition(scene=PRESETS["dark"]),
    "flicker": Condition(scene=PRESETS["flicker"]),
    "noise": Condition(scene=PRESETS["noisy"]),
    "exposure": Condition(scene=PRESETS["exposure"]),
    # A noisy sensor, as webcams have: a clean portrait would fit into one megabit without loss.
    "1 Mbit/s": Condition(scene=PRESETS["noisy"], filming=Filming(bit_rate_mbps=1.0)),
    "0.2 Mbit/s": Condition(scene=GENTLE, filming=Filming(bit_rate_mbps=0.2)),
    "variable rate": Condition(scene=GENTLE, filming=Filming(quality=QUALITY, jitter=0.3, drop_probability=0.03)),
    "at rest": Condition(scene=replace(PRESETS["natural"], expressions=False)),
}
"""All but the first three change one thing about a clean picture of someone who sits still; "1 Mbit/s" is to be set
against "noise", the same picture with bits enough; "natural" is a head that
sways and turns, blinks and looks about; "at rest" is the same without expressions."""
QUICK_CONDITIONS, QUICK_RATES_HZ = (NATURAL, "speech", "1 Mbit/s", "at rest"), (30.0, 100.0)
QUICK_IDENTITIES, QUICK_TAKE_S = (1, 6), 10.0


def as_benched(scene: SceneParameters) -> SceneParameters:
    """A scene with micro-expressions of every size and length evenly, apex off the centre."""
    return replace(
        scene,
        micro_amplitude_px=(0.8, 3.0),
        micro_duration_s=(0.12, 0.48),
        rise_share=(0.28, 0.44),
        late_apex_probability=0.3,
        macro_share=0.15,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One scene filmed once."""

    condition: str
    rate_hz: float
    seed: int
    identity: int
    duration_s: float = TAKE_S
    scene: SceneParameters
    filming: Filming

    @property
    def name(self) -> str:
        """Unique among the takes of a run."""
        condition = "".join(letter if letter.isalnum() else "-" for letter in self.condition)
        return f"{condition}-{self.rate_hz:.0f}-{self.seed}-{self.identity}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is true of a recording and what was spotted in it."""

    name: str
    condition: str
    rate_hz: float
    identity: str
    duration_s: float
    truths: list[Interval]
    amplitudes_px: list[float]
    """Of each truth, canthus-normalised pixels."""
    calm: list[bool]
    """Of each truth: whether the face does nothing else at the time."""
    events: list[Interval]
    rejected: int
    readable: list[bool] = field(default_factory=list)
    """Of each truth in a recording of a real face: whether no gate hides it and the face itself moves less far."""
    at_positions: dict[float, list[Interval]] = field(default_factory=dict)
    """Events at each position of the sensitivity dial, where they were asked for."""


def take_of(condition: str, rate_hz: float, identity: int, *, seed: int, duration_s: float = TAKE_S) -> Take:
    """One take under a condition."""
    known = CONDITIONS[condition]
    return Take(
        condition=condition,
        rate_hz=rate_hz,
        seed=seed,
        identity=identity,
        duration_s=duration_s,
        scene=as_benched(known.scene),
        filming=known.filming,
    )


def plan(
    conditions: Sequence[str],
    rates_hz: Sequence[float],
    *,
    identities: Sequence[int] = tuple(range(SHIPPED_FACES)),
    duration_s: float = TAKE_S,
) -> list[Take]:
    """Takes of every face under every condition, the main one at all rates; long ones first.

    Args:
        conditions: names of `CONDITIONS`.
        rates_hz: rates of `NATURAL`.
        identities: faces; each has one script, the same under all conditions.
        duration_s: of each take.
    """
    cells = [(name, rate) for name in conditions for rate in (rates_hz if name == NATURAL else (USUAL_HZ,))]
    cells.sort(key=lambda cell: -cell[1])  # so that no process is left with the longest work at the end
    return [
        take_of(name, rate, identity, seed=FIRST_SEED + identity, duration_s=duration_s)
        for name, rate in cells
        for identity in identities
    ]


def film(take: Take, folder: Path) -> tuple[Path, list[dict[str, Any]]]:
    """Film a take into a video file; the file and its truths."""
    scene = replace(take.scene, identity=take.identity, duration_s=take.duration_s)
    path = folder / f"{take.name}.mp4"
    filming = replace(take.filming, frame_rate_hz=take.rate_hz)
    return path, write_video(Scene.plan(scene, take.seed), path, filming)


def play(take: Take) -> Outcome:
    """Film a take, spot in it, forget the film."""
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        path, records = film(take, Path(name))
        samples = list(movement_of(path))
    events, rejected = spot(samples)
    chosen_by = take.rate_hz == USUAL_HZ or take.condition == NATURAL
    positions = spot_at_positions(samples, take.name) if chosen_by else {}
    return Outcome(
        name=take.name,
        condition=take.condition,
        rate_hz=take.rate_hz,
        identity=str(take.identity % SHIPPED_FACES),
        duration_s=take.duration_s,
        truths=true_intervals(records, take.name),
        amplitudes_px=[record["amplitude_px"] for record in records],
        calm=[True] * len(records),
        events=event_intervals(events, take.name),
        rejected=len(rejected),
        at_positions=positions,
    )


def spot_at_positions(samples: Sequence[MotionSample], name: str) -> dict[float, list[Interval]]:
    """Events in the same movement at every position of the sensitivity dial."""
    return {
        position: event_intervals(spot(samples, SpottingParameters(sensitivity=position))[0], name)
        for position in POSITIONS
    }


def true_intervals(records: Sequence[dict[str, Any]], name: str) -> list[Interval]:
    """Lines of `truth.jsonl` as intervals of a video."""
    return [
        Interval(video=name, onset_s=one["onset_s"], apex_s=one["apex_s"], offset_s=one["offset_s"], kind=one["kind"])
        for one in records
    ]


def event_intervals(events: Sequence[ExpressionEvent], name: str) -> list[Interval]:
    """Events as intervals of a video."""
    return [
        Interval(
            video=name,
            onset_s=one.onset_ns / NANOSECONDS,
            apex_s=one.apex_ns / NANOSECONDS,
            offset_s=one.offset_ns / NANOSECONDS,
            kind=one.kind,
        )
        for one in events
    ]
