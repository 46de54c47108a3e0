"""Which movements are inserted into a recording, and when: drawn with a seed, where the face can be seen."""

from dataclasses import dataclass, replace

import numpy as np

from realtime.clock import to_seconds
from trainers.datasets.action_units import COMBINATIONS, LABEL_NAMES
from trainers.datasets.inserted_course import FaceCourse
from trainers.datasets.synthetic_scenes import Movement, SceneParameters, combinations_of, draw_movement

BROW_UNITS = ((1,), (2,), (1, 2), (4,))
"""Movements of the brows alone: what a talking mouth does not hide."""
EVERY_UNIT = tuple(one.action_units for one in COMBINATIONS)
_CLEARANCE_S = 0.1
"""Before and after a movement in which the face must be there, too."""
_STEP_S = 0.1
"""By how much a movement is put off where the face cannot be seen."""


@dataclass(frozen=True, kw_only=True)
class InsertionParameters:
    """What may be inserted into a recording."""

    action_units: tuple[tuple[int, ...], ...] = EVERY_UNIT
    """Combinations to draw from; `BROW_UNITS` for the brows alone."""
    amplitude_px: tuple[float, float] = (0.8, 3.0)
    """Largest displacement, canthus-normalised pixels (inner canthi 64 px apart), drawn evenly."""
    duration_s: tuple[float, float] = (0.12, 0.48)
    """True onset to true offset, drawn evenly."""
    rise_share: tuple[float, float] = (0.28, 0.44)
    """Share of the moving time up to the apex …"""
    late_apex_probability: float = 0.3
    """… and how often rise and fall change places."""
    gap_s: tuple[float, float] = (1.2, 2.6)
    """From the end of one movement to the start of the next."""
    lead_in_s: float = 1.0
    """Before the first movement."""
    largest_turn_deg: float = 25.0
    """No movement while the head is turned further to the side."""


def plan_insertions(
    course: FaceCourse, parameters: InsertionParameters | None = None, *, seed: int = 0
) -> tuple[Movement, ...]:
    """Draw movements for a recording.

    Args:
        course: where its face is; see `follow_face`.
        parameters: what may be drawn.
        seed: same course, parameters and seed, same movements.

    Returns:
        Movements in time order, the face seen all through each; times are those of the recording.

    Raises:
        BadInput: if none of the action units is a known combination.
    """
    parameters = parameters or InsertionParameters()
    generator = np.random.default_rng((seed, 4, len(course.times_ns)))  # another recording, other movements
    scene = _as_scene(parameters)
    end_s = to_seconds(int(course.times_ns[-1]))
    time_s = to_seconds(int(course.times_ns[0])) + parameters.lead_in_s
    movements: list[Movement] = []
    deck: list[str] = []
    while True:
        if not deck:  # a shuffled deck keeps the classes even in a short recording
            deck = [str(label) for label in generator.permutation(scene.labels)]
        movement = draw_movement(scene, deck.pop(), time_s, generator)
        placed = _where_seen(movement, course, end_s, parameters.largest_turn_deg)
        if placed is None:
            return tuple(movements)
        movements.append(placed)
        time_s = placed.end_s + float(generator.uniform(*parameters.gap_s))


def _where_seen(movement: Movement, course: FaceCourse, end_s: float, largest_turn_deg: float) -> Movement | None:
    """The movement, put off until the face can be seen all through it; None where it never can."""
    while movement.end_s + _CLEARANCE_S <= end_s:
        if course.present(movement.start_s - _CLEARANCE_S, movement.end_s + _CLEARANCE_S, largest_turn_deg):
            return movement
        movement = replace(movement, start_s=movement.start_s + _STEP_S)
    return None


def _as_scene(parameters: InsertionParameters) -> SceneParameters:
    """The same wishes as the synthesiser's, which draws the movements."""
    labels = tuple(label for label in LABEL_NAMES if combinations_of(label, parameters.action_units))
    return SceneParameters(
        labels=labels,
        macro_share=0.0,
        micro_duration_s=parameters.duration_s,
        micro_amplitude_px=parameters.amplitude_px,
        rise_share=parameters.rise_share,
        late_apex_probability=parameters.late_apex_probability,
        action_units=parameters.action_units,
    )
