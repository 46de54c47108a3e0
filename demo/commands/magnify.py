"""`onset magnify`: Eulerian magnification of a video's small movements."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from demo.magnify import magnify_video
from engines.errors import BadInput
from engines.magnification import MagnificationParameters
from realtime.sources import open_source


@dataclass(frozen=True, kw_only=True)
class Magnify:
    """Make small movements of a band of frequencies visible: 1–5 Hz, twentyfold, as EDSSNet does."""

    video: tyro.conf.Positional[str]
    """Video file, or folder of images with --frame-rate-hz."""
    out: Path
    """Video to write: .mp4, .mkv or .mov."""
    frame_rate_hz: float | None = None
    """Frame rate of a folder of images."""
    overwrite: bool = False
    """Write over a file that is already there."""
    json: bool = False
    """Print one JSON object instead of text."""
    parameters: Annotated[MagnificationParameters, tyro.conf.arg(name="")] = field(
        default_factory=MagnificationParameters
    )

    def run(self) -> int:
        """Read, magnify, write."""
        source = open_source(self.video, frame_rate_hz=self.frame_rate_hz)
        console = Console(stderr=True)
        columns = TextColumn("magnifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("magnifying", total=source.frame_count)
            made = magnify_video(
                source,
                self.out,
                self.parameters,
                replace=self.overwrite,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        summary: dict[str, Any] = {"out": str(self.out), "frames": made.frames, "band_hz": list(made.band_hz)}
        low_hz, high_hz = made.band_hz
        said = f"{self.out}: {made.frames} frames, {low_hz:g}–{high_hz:g} Hz, α = {self.parameters.alpha:g}"
        print(json.dumps(summary) if self.json else said)
        if made.fault is not None:
            raise BadInput(f"{made.fault}; what could be read is in {self.out}")
        return 0


def defaults(_words: Sequence[str]) -> Magnify:
    """Defaults under the flags."""
    return Magnify(video=tyro.MISSING, out=tyro.MISSING)


COMMAND = Magnify
