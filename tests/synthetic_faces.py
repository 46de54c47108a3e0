"""Faces that move as a test needs them."""

from trainers.datasets.action_units import ActionUnitActivation
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_scenes import Movement, SceneParameters


def movement(
    units: tuple[int, ...] = (1, 2),
    *,
    label: str = "surprise",
    start_s: float = 0.5,
    rise_s: float = 0.2,
    hold_s: float = 0.0,
    fall_s: float = 0.25,
    amplitude_px: float = 2.0,
) -> Movement:
    """One expression of known course, the same on both sides of the face."""
    visible_s = rise_s + hold_s + fall_s
    return Movement(
        label=label,
        kind="macro" if visible_s > 0.7 else "micro",
        activations=tuple(ActionUnitActivation(unit=unit, left=1.0, right=1.0) for unit in units),
        amplitude_px=amplitude_px,
        start_s=start_s,
        rise_s=rise_s,
        hold_s=hold_s,
        fall_s=fall_s,
    )


def still_scene(*movements: Movement, duration_s: float = 1.5, seed: int = 1, **parameters: float) -> Scene:
    """A face that does nothing but the given movements, without noise unless a parameter brings some."""
    settings = SceneParameters(duration_s=duration_s, **{"noise_sd": 0.0, **parameters})  # type: ignore[arg-type]  # numbers only
    return Scene.plan(settings, seed, movements)


def small_scene(*movements: Movement, duration_s: float = 1.0, seed: int = 1, **parameters: float) -> Scene:
    """The same at 160×120: quick to film where the face does not matter."""
    return still_scene(
        *movements, duration_s=duration_s, seed=seed, **{"width": 160, "height": 120, "canthus_px": 14.0, **parameters}
    )
