"""`onset synthesize`: videos of a face with movements of known onset, apex and offset."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from demo.synthesize import make_videos
from trainers.datasets.synthetic_videos import plan_takes


@dataclass(frozen=True, kw_only=True)
class Synthesize:
    """Film a face with known micro- and macro-expressions; truth.jsonl says what is where."""

    out: Path
    """Folder for the videos, truth.jsonl and scene.json."""
    presets: tuple[str, ...] = ("gentle",)
    """Kinds of head motion, light, noise and coding: gentle, still, moving, noisy, dark, flicker, blinks … An
    unknown one is answered with the list."""
    frame_rates_hz: tuple[float, ...] = (100.0,)
    """Each scene is filmed at each of these rates."""
    count: int = 4
    """Scenes a preset, each of another script and face."""
    duration_s: float = 30.0
    """Length of each video."""
    seed: int = 0
    """The same seed gives the same videos."""
    face: str = ""
    """A portrait of your own, instead of the faces that ship."""
    overwrite: bool = False
    """Allow a folder that already holds synthetic videos."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> int:
        """Plan and film."""
        takes = plan_takes(
            presets=self.presets,
            frame_rates_hz=self.frame_rates_hz,
            count=self.count,
            seed=self.seed,
            duration_s=self.duration_s,
            face=self.face,
        )
        made = make_videos(self.out, takes, overwrite=self.overwrite)
        said = (
            f"{made['out']}: {made['videos']} videos, {made['duration_s'] / 60:.1f} minutes, "
            f"{made['micro']} micro- and {made['macro']} macro-expressions; the truth is in truth.jsonl"
        )
        print(json.dumps(made) if self.json else said)
        return 0


def defaults(_words: Sequence[str]) -> Synthesize:
    """Defaults under the flags."""
    return Synthesize(out=tyro.MISSING)


COMMAND = Synthesize
