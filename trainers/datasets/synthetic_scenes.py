"""What happens in a synthetic video: expressions, blinks, head movement and light, all functions of time.

A scene is planned once from its parameters and a seed; filming it at any frame rate shows the same continuous
movement.

The course of an expression: its displacement rises by a raised cosine to the apex, stays there for a short
hold and falls, more slowly, by a raised cosine. **True onset and offset are where the displacement passes
10 % of its peak** (`VISIBLE_SHARE`), on the way up and on the way down: what lies under that is a tenth of a
pixel in a micro-expression, which no coder would mark as the first or last frame of visible movement. The
true apex is the maximum, the middle of the hold.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64

from engines.errors import BadInput
from realtime.events import Kind
from trainers.datasets.action_units import (
    COMBINATIONS,
    LABEL_NAMES,
    UNILATERAL_PROBABILITY,
    ActionUnitActivation,
    Combination,
)
from trainers.datasets.synthetic_jumps import Jumps, never, plan_exposure, plan_gaze
from trainers.datasets.synthetic_speech import Speech, plan_speech

VISIBLE_SHARE = 0.10
"""Share of the peak displacement at which a movement's onset and offset are set."""
_SAG = 0.15
"""The hold sags to either side by this times its share of the whole course, so that the apex is one moment."""


def _visible_phase(hold_share: float) -> float:
    """Share of the rise, and of the fall, that passes under `VISIBLE_SHARE` of the peak."""
    return float(np.arccos(1.0 - 2.0 * VISIBLE_SHARE / (1.0 - _SAG * hold_share)) / np.pi)


@dataclass(frozen=True, kw_only=True)
class SceneParameters:
    """What a synthetic video shows and how it is filmed."""

    duration_s: float = 30.0
    width: int = 640
    height: int = 480
    canthus_px: float = 48.0
    """Distance of the inner corners of the eyes in the video: the size of the face, pixels."""
    identity: int = 0
    """Which of the shipped faces."""
    face: str = ""
    """A picture of one's own instead of a shipped face; empty for none."""
    labels: tuple[str, ...] = LABEL_NAMES
    """Classes to draw expressions from."""
    expressions: bool = True
    """False films a face that shows none."""
    macro_share: float = 0.2
    """Probability that an expression is a macro-expression."""
    lead_in_s: float = 2.0
    """Neutral time before the first expression."""
    gap_s: tuple[float, float] = (1.2, 2.6)
    """Neutral time between two expressions, shortest and longest."""
    micro_duration_s: tuple[float, float] = (0.15, 0.48)
    """True onset to true offset of micro-expressions, shortest and longest."""
    macro_duration_s: tuple[float, float] = (0.7, 2.0)
    micro_amplitude_px: tuple[float, float] = (1.2, 2.8)
    """Peak displacement of micro-expressions, canthus-normalised pixels (inner canthi 64 px apart)."""
    macro_amplitude_px: tuple[float, float] = (3.0, 6.0)
    rise_share: tuple[float, float] = (0.36, 0.5)
    """Share of the moving time that an expression takes to reach its apex, least and most."""
    late_apex_probability: float = 0.0
    """How often rise and fall change places, so that the apex comes late."""
    action_units: tuple[tuple[int, ...], ...] = ()
    """Combinations of action units to draw from; empty for all of a label's."""
    blinks_per_minute: float = 0.0
    blinks_during_expressions: bool = False
    head_shift_px: float = 0.0
    """Root mean square of the head's drift in either direction, canthus-normalised pixels."""
    head_roll_deg: float = 0.0
    head_turn_deg: float = 0.0
    """Root mean square of yaw and of pitch, degrees."""
    relief: bool = False
    """Brows, nose and lips stand before the cheeks as in a usual face, instead of a smooth dome."""
    head_scale: float = 0.0
    """Root mean square of the relative change of size: coming nearer and going away."""
    head_highest_hz: float = 0.5
    """Fastest component of the head's drift."""
    noise_sd: float = 0.5
    """Sensor noise that does not depend on the light, gray levels."""
    shot_noise: float = 0.0
    """Variance of the noise per gray level: 0.05 gives a standard deviation of 2.5 at 128."""
    brightness: float = 1.0
    """Factor on the gray values; 0.25 is a dark room."""
    light_drift: float = 0.0
    """Root mean square of slow relative changes of the light."""
    flicker: float = 0.0
    """Relative amplitude of the lamp's flicker."""
    flicker_hz: float = 100.3
    """Frequency of the flicker: twice the mains, a little off as real mains are."""
    exposure_jumps_per_minute: float = 0.0
    exposure_jump: float = 0.12
    """Relative change of the light by a jump of the exposure."""
    speech_share: float = 0.0
    """Share of the time in which the face talks."""
    speech_px: float = 6.0
    """Drop of the jaw in a fully stressed syllable, canthus-normalised pixels."""
    speech_nod_deg: float = 1.2
    """Nod with a stressed syllable, degrees."""
    saccades_per_minute: float = 0.0
    gaze_px: float = 2.0
    """Standard deviation of where the pupils stand sideways, canthus-normalised pixels."""
    glasses: bool = False
    """Spectacles with a thin frame and a faint reflection."""

    def __post_init__(self) -> None:
        if self.duration_s <= 0:
            raise BadInput(f"scene of {self.duration_s} s: give a positive duration")
        if min(self.width, self.height) < 64 or self.width % 2 or self.height % 2:
            raise BadInput(f"scene of {self.width}×{self.height} pixels: give even numbers, 64 or more")
        if self.canthus_px <= 0:
            raise BadInput(f"face with inner canthi {self.canthus_px} px apart: give a positive distance")
        unknown = set(self.labels) - set(LABEL_NAMES)
        if unknown or not self.labels:
            raise BadInput(f"labels {sorted(unknown)}: unknown; choose from {', '.join(LABEL_NAMES)}")
        for label in self.labels:
            if not combinations_of(label, self.action_units):
                raise BadInput(
                    f"action units {self.action_units}: none of them is read as {label}; leave the label out"
                )


def combinations_of(label: str, action_units: tuple[tuple[int, ...], ...] = ()) -> list[Combination]:
    """Combinations of action units that are read as a label.

    Args:
        label: one of `LABEL_NAMES`.
        action_units: which of them to keep; empty for all.
    """
    return [
        one for one in COMBINATIONS if one.label == label and (not action_units or one.action_units in action_units)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One true expression."""

    label: str
    kind: Kind
    activations: tuple[ActionUnitActivation, ...]
    amplitude_px: float
    """Peak displacement over the face, canthus-normalised pixels."""
    start_s: float
    """Where the displacement leaves zero."""
    rise_s: float
    hold_s: float
    fall_s: float

    @property
    def end_s(self) -> float:
        """Where the displacement is back at zero."""
        return self.start_s + self.rise_s + self.hold_s + self.fall_s

    @property
    def hold_share(self) -> float:
        """Share of the hold in the whole course."""
        return self.hold_s / (self.rise_s + self.hold_s + self.fall_s)

    @property
    def onset_s(self) -> float:
        """Displacement passes `VISIBLE_SHARE` of its peak on the way up."""
        return self.start_s + _visible_phase(self.hold_share) * self.rise_s

    @property
    def apex_s(self) -> float:
        """Displacement is largest."""
        return self.start_s + self.rise_s + self.hold_s / 2

    @property
    def offset_s(self) -> float:
        """Displacement passes `VISIBLE_SHARE` of its peak on the way down."""
        return self.end_s - _visible_phase(self.hold_share) * self.fall_s

    @property
    def action_units(self) -> tuple[int, ...]:
        """Numbers of the action units that move."""
        return tuple(activation.unit for activation in self.activations)

    def strength(self, time_s: float) -> float:
        """Displacement at a time as a share of the peak, 0–1."""
        since = time_s - self.start_s
        if since <= 0 or time_s >= self.end_s:
            return 0.0
        sag = _SAG * self.hold_share
        plateau = 1.0 - sag
        if since < self.rise_s:
            return plateau * 0.5 * (1.0 - float(np.cos(np.pi * since / self.rise_s)))
        since -= self.rise_s
        if since < self.hold_s:
            return 1.0 - sag * (2.0 * since / self.hold_s - 1.0) ** 2
        return plateau * 0.5 * (1.0 + float(np.cos(np.pi * (since - self.hold_s) / self.fall_s)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Blink:
    """The lids close and open again."""

    start_s: float
    close_s: float = 0.08
    shut_s: float = 0.03
    open_s: float = 0.14

    @property
    def end_s(self) -> float:
        """The lids are where they were."""
        return self.start_s + self.close_s + self.shut_s + self.open_s

    def closure(self, time_s: float) -> float:
        """How far the lids are closed, 0–1."""
        since = time_s - self.start_s
        if since <= 0 or time_s >= self.end_s:
            return 0.0
        if since < self.close_s:
            return 0.5 * (1.0 - float(np.cos(np.pi * since / self.close_s)))
        since -= self.close_s + self.shut_s
        if since < 0:
            return 1.0
        return 0.5 * (1.0 + float(np.cos(np.pi * since / self.open_s)))


@dataclass(frozen=True)
class Wander:
    """A smooth random function of time without mean: a sum of sines up to a highest frequency."""

    amplitudes: Float64[np.ndarray, " waves"]
    frequencies_hz: Float64[np.ndarray, " waves"]
    phases: Float64[np.ndarray, " waves"]

    @classmethod
    def random(cls, root_mean_square: float, highest_hz: float, generator: np.random.Generator) -> "Wander":
        """Draw one with a spectrum that falls with frequency, as slow sway does."""
        frequencies = highest_hz * np.array([0.11, 0.23, 0.41, 0.63, 1.0]) * generator.uniform(0.85, 1.0, 5)
        amplitudes = generator.uniform(0.6, 1.0, 5) / frequencies
        amplitudes *= root_mean_square * np.sqrt(2.0 / np.sum(amplitudes**2))
        return cls(amplitudes, frequencies, generator.uniform(0.0, 2.0 * np.pi, 5))

    def at(self, time_s: float) -> float:
        """Value at a time."""
        return float(np.sum(self.amplitudes * np.sin(2.0 * np.pi * self.frequencies_hz * time_s + self.phases)))


@dataclass(frozen=True, kw_only=True)
class Script:
    """All that happens in one scene."""

    movements: tuple[Movement, ...]
    blinks: tuple[Blink, ...]
    pose: tuple[Wander, ...]
    """Shift right and down (canthus-normalised pixels), roll (rad), relative scale, yaw, pitch (rad)."""
    light: Wander
    flicker_phase: float = field(default=0.0)
    exposure: Jumps = field(default_factory=lambda: never(1))
    """Relative change of the light."""
    gaze: Jumps = field(default_factory=lambda: never(2))
    """Shift of the pupils right and down, canthus-normalised pixels."""
    speech: Speech = field(default_factory=lambda: Speech(*np.zeros((5, 0))))


def plan_script(parameters: SceneParameters, seed: int, movements: tuple[Movement, ...] | None = None) -> Script:
    """Draw what happens in a scene.

    Args:
        parameters: what to show.
        seed: same seed and parameters, same script. Each aspect has its own random stream, so that switching
            the head's drift on leaves the expressions where they were.
        movements: expressions of one's own instead of drawn ones.

    Returns:
        The script, its movements and blinks in time order.
    """
    what, lids, head, light, exposure, gaze, speech = (np.random.default_rng((seed, stream)) for stream in range(7))
    if movements is None:
        movements = _plan_movements(parameters, what) if parameters.expressions else ()
    shift_px, turn_rad = parameters.head_shift_px, np.radians(parameters.head_turn_deg)
    roll_rad, scale = np.radians(parameters.head_roll_deg), parameters.head_scale
    sizes = (shift_px, 0.7 * shift_px, roll_rad, scale, turn_rad, 0.7 * turn_rad)
    return Script(
        movements=movements,
        blinks=_plan_blinks(parameters, movements, lids),
        pose=tuple(Wander.random(size, parameters.head_highest_hz, head) for size in sizes),
        light=Wander.random(parameters.light_drift, 0.2, light),
        flicker_phase=float(light.uniform(0.0, 2.0 * np.pi)),
        exposure=plan_exposure(
            parameters.exposure_jumps_per_minute, parameters.exposure_jump, parameters.duration_s, exposure
        ),
        gaze=plan_gaze(parameters.saccades_per_minute, parameters.gaze_px, parameters.duration_s, gaze),
        speech=plan_speech(parameters.speech_share, parameters.duration_s, speech),
    )


def _plan_movements(parameters: SceneParameters, generator: np.random.Generator) -> tuple[Movement, ...]:
    movements: list[Movement] = []
    time_s = parameters.lead_in_s
    deck: list[str] = []
    while True:
        if not deck:  # a shuffled deck keeps the classes even in a short video
            deck = [str(label) for label in generator.permutation(parameters.labels)]
        movement = draw_movement(parameters, deck.pop(), time_s, generator)
        if movement.end_s + 0.6 > parameters.duration_s:
            return tuple(movements)
        movements.append(movement)
        time_s = movement.end_s + float(generator.uniform(*parameters.gap_s))


def draw_movement(parameters: SceneParameters, label: str, start_s: float, generator: np.random.Generator) -> Movement:
    """Draw one expression of a class.

    Args:
        parameters: ranges of duration and amplitude.
        label: class.
        start_s: where its displacement leaves zero.
        generator: source of chance.

    Returns:
        The movement; its duration from true onset to true offset lies in the range of its kind.
    """
    macro = bool(generator.random() < parameters.macro_share)
    duration_s = float(generator.uniform(*(parameters.macro_duration_s if macro else parameters.micro_duration_s)))
    amplitude_px = float(
        generator.uniform(*(parameters.macro_amplitude_px if macro else parameters.micro_amplitude_px))
    )
    rise_share = float(generator.uniform(*parameters.rise_share))
    if parameters.late_apex_probability and generator.random() < parameters.late_apex_probability:
        rise_share = 1.0 - rise_share
    hold_share = float(generator.uniform(0.1, 0.3) if macro else generator.uniform(0.0, 0.12))
    visible = hold_share + (1.0 - hold_share) * (1.0 - _visible_phase(hold_share))
    total_s = duration_s / visible
    choices = combinations_of(label, parameters.action_units)
    weights = np.array([combination.weight for combination in choices])
    units = choices[int(generator.choice(len(choices), p=weights / weights.sum()))].action_units
    moving_s = total_s * (1.0 - hold_share)
    return Movement(
        label=label,
        kind="macro" if macro else "micro",
        activations=tuple(_activate(unit, generator) for unit in units),
        amplitude_px=amplitude_px,
        start_s=start_s,
        rise_s=moving_s * rise_share,
        hold_s=total_s * hold_share,
        fall_s=moving_s * (1.0 - rise_share),
    )


def _activate(unit: int, generator: np.random.Generator) -> ActionUnitActivation:
    intensity = float(generator.uniform(0.7, 1.0))
    weaker = intensity * (1.0 - min(0.6, abs(float(generator.normal(0.0, 0.2)))))
    if generator.random() < UNILATERAL_PROBABILITY.get(unit, 0.0):
        weaker = 0.0
    if generator.random() < 0.5:
        return ActionUnitActivation(unit=unit, left=intensity, right=weaker)
    return ActionUnitActivation(unit=unit, left=weaker, right=intensity)


def _plan_blinks(
    parameters: SceneParameters, movements: tuple[Movement, ...], generator: np.random.Generator
) -> tuple[Blink, ...]:
    blinks: list[Blink] = []
    time_s = 0.0
    while parameters.blinks_per_minute > 0:
        time_s += float(generator.uniform(0.4, 1.6)) * 60.0 / parameters.blinks_per_minute
        blink = Blink(
            start_s=time_s,
            close_s=float(generator.uniform(0.06, 0.1)),
            open_s=float(generator.uniform(0.1, 0.17)),
        )
        if not parameters.blinks_during_expressions:
            blink = _clear_of(movements, blink)
        if blink.end_s > parameters.duration_s:
            break
        blinks.append(blink)
        time_s = blink.end_s
    return tuple(blinks)


def _clear_of(movements: tuple[Movement, ...], blink: Blink, clearance_s: float = 0.25) -> Blink:
    """Put a blink off until no expression is near."""
    for movement in movements:  # in time order
        if blink.end_s + clearance_s > movement.start_s and blink.start_s < movement.end_s + clearance_s:
            blink = replace(blink, start_s=movement.end_s + clearance_s)
    return blink
