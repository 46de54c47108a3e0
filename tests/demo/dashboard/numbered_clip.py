"""A film of a synthesised face with known expressions, its frame number burnt into the upper edge of every picture."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from realtime.clock import to_seconds
from trainers.datasets.action_units import ActionUnitActivation
from trainers.datasets.synthetic_rendering import Scene, frame_times_ns
from trainers.datasets.synthetic_scenes import Movement, SceneParameters
from trainers.datasets.synthetic_videos import Filming, encode_video, truth_records

BITS = 12
CELL_WIDTH, CELL_HEIGHT = 40, 24
RATE_HZ = 50.0
DURATION_S = 6.0


def film_numbered(path: Path) -> list[dict[str, Any]]:
    """Write the film, 640×480, at a variable rate; one expression at 2.4 s, another at 4.2 s.

    Returns:
        Its truths as lines of `truth.jsonl`.
    """
    times_ns, pictures, truths = _film()
    encode_video(zip(times_ns, pictures, strict=True), path, Filming(frame_rate_hz=RATE_HZ, quality=18))
    return truths


@cache
def _film() -> tuple[list[int], list[UInt8[np.ndarray, "480 640 3"]], list[dict[str, Any]]]:
    parameters = SceneParameters(duration_s=DURATION_S, noise_sd=1.0, canthus_px=56.0)
    movements = (_movement("surprise", (1, 2), 2.4), _movement("positive", (6, 12), 4.2))
    scene = Scene.plan(parameters, seed=5, movements=movements)
    times_ns = frame_times_ns(DURATION_S, RATE_HZ, jitter=0.3, seed=5)
    return times_ns, list(_numbered(scene, times_ns)), truth_records(scene, times_ns, "numbered.mp4")


def _numbered(scene: Scene, times_ns: list[int]) -> Iterator[UInt8[np.ndarray, "480 640 3"]]:
    for index, time_ns in enumerate(times_ns):
        image = scene.frame(to_seconds(time_ns)).copy()
        for bit in range(BITS):
            image[:CELL_HEIGHT, bit * CELL_WIDTH : (bit + 1) * CELL_WIDTH] = 235 if index >> bit & 1 else 20
        yield image


def _movement(label: str, units: tuple[int, ...], start_s: float) -> Movement:
    activations = tuple(ActionUnitActivation(unit=unit, left=1.0, right=1.0) for unit in units)
    return Movement(
        label=label, kind="micro", activations=activations, amplitude_px=2.6, start_s=start_s,
        rise_s=0.16, hold_s=0.02, fall_s=0.2,
    )  # fmt: skip


READ_NUMBER = """
() => {
  // What is on the screen: the picture fills the canvas in its own proportion.
  const { canvas } = document.querySelector("onset-replay").player;
  const scale = Math.min(canvas.width / 640, canvas.height / 480);
  const [left, top] = [(canvas.width - 640 * scale) / 2, (canvas.height - 480 * scale) / 2];
  const context = canvas.getContext("2d");
  let number = 0;
  for (let bit = 0; bit < %d; bit += 1) {
    const x = Math.round(left + (bit + 0.5) * %d * scale), y = Math.round(top + 0.5 * %d * scale);
    if (context.getImageData(x, y, 1, 1).data[0] > 128) number += 2 ** bit;
  }
  return number;
}
""" % (BITS, CELL_WIDTH, CELL_HEIGHT)  # noqa: UP031  (braces are JavaScript's here)
"""JavaScript that reads the number of the picture that the replay view shows."""
