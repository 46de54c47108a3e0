"""`onset replay`: recordings in, session folders out."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tyro

from demo.commands.run_flags import RunFlags, settings_under
from demo.recordings import Recording, find_recordings
from demo.run_display import follow
from engines.errors import BadInput, OnsetError
from realtime.session_run import SessionRun


@dataclass(frozen=True, kw_only=True)
class Replay(RunFlags):
    """Spot, measure and classify the micro-expressions of recordings; each leaves a session folder with a report.

    A source is a video file, a folder of images (with --frame-rate-hz), a folder of videos, a stream address, or
    the word "example": a short synthesised video that is made on the spot.
    """

    sources: tyro.conf.Positional[tuple[str, ...]]
    """Recordings to replay. With several, each gets a folder of its own under --out."""
    frame_rate_hz: float | None = None
    """Frame rate of a folder of images, which does not tell it."""

    def run(self) -> int:
        """Replay one recording after another; one that cannot be read does not stop the others."""
        if not self.sources:
            raise BadInput('replay: no source given; name a video, a folder, or "example"')
        recordings = find_recordings(self.sources, self.out, self.frame_rate_hz)
        code, summaries = 0, []
        for recording in recordings:
            try:
                ended, summary = self._replay(recording)
            except OnsetError as fault:
                if len(recordings) == 1:
                    raise
                print(f"onset: {fault}", file=sys.stderr)
                ended, summary = 2, {"source": recording.address, "error": str(fault)}
            summaries.append(summary)
            code = max(code, ended)
            if ended == 130:
                break
        if self.json:
            print(json.dumps(summaries[0] if len(recordings) == 1 else {"sessions": summaries}))
        return code

    def _replay(self, recording: Recording) -> tuple[int, dict[str, Any]]:
        run = SessionRun(
            recording.open(),
            recording.folder,
            self.settings,
            checkpoint=self.checkpoint,
            backend=self.backend,
            overwrite=self.overwrite,
        )
        return follow(run, quiet=self.json)


def defaults(words: Sequence[str]) -> Replay:
    """Defaults under the flags, with the configuration file in them."""
    return Replay(sources=tyro.MISSING, out=tyro.MISSING, settings=settings_under(words))


COMMAND = Replay
