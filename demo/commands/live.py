"""`onset live`: a camera or a stream in, a session folder out, until Ctrl-C."""

import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import tyro

from demo.commands.run_flags import RunFlags, settings_under
from demo.run_display import follow
from engines.errors import BadInput
from realtime.json_lines import without_password
from realtime.lab_streaming import LabStreaming
from realtime.session_run import SessionRun
from realtime.sources import Source, is_stream_address, open_source
from realtime.sources.persistent import PersistentSource


@dataclass(frozen=True, kw_only=True)
class Live(RunFlags):
    """Spot, measure and classify micro-expressions as they happen. Ctrl-C ends the run and keeps everything."""

    camera: str = "0"
    """Number of a camera of this machine, or the address of a stream (rtsp://, http://, tcp://, udp:// …)."""
    frame_rate_hz: float | None = None
    """Frame rate to ask the camera for."""
    duration_s: float | None = None
    """End by itself after this long."""
    reopen_s: float | None = None
    """How long a camera or stream that went away is opened again and again; 30 s for a camera unless given, not at all
    for a stream, which may simply have ended."""
    record: bool = False
    """Keep the frames as a video in the session folder, with their exact times."""
    lsl: bool = False
    """Send each event as a marker of the Lab Streaming Layer too (needs the extra `lsl`)."""

    def run(self) -> int:
        """Run until the source ends, the time is over, or Ctrl-C."""
        if self.duration_s is not None and self.duration_s <= 0:
            raise BadInput(f"--duration-s {self.duration_s}: must be above 0; leave it out to run until Ctrl-C")
        run = SessionRun(
            self._source(),
            self.out,
            self.chosen,
            checkpoint=self.checkpoint,
            backend=self.backend,
            overwrite=self.overwrite,
            record=self.record,
        )
        with ExitStack() as stack:
            if self.lsl:
                run.attach(stack.enter_context(closing(LabStreaming(f"onset-{without_password(self.camera)}"))).watcher)
            code, summary = follow(run, quiet=self.json, duration_s=self.duration_s)
        if self.json:
            print(json.dumps(summary))
        return code

    def _source(self) -> Source:
        def opened_anew() -> Source:
            return open_source(self.camera, frame_rate_hz=self.frame_rate_hz)

        away_s = self.reopen_s
        if away_s is None:
            away_s = 0.0 if is_stream_address(self.camera) else self.settings.recording.give_up_s
        source = opened_anew()
        return PersistentSource(opened_anew, give_up_s=away_s) if source.live and away_s > 0 else source


def defaults(words: Sequence[str]) -> Live:
    """Defaults under the flags, with the configuration file in them."""
    return Live(out=tyro.MISSING, settings=settings_under(words))


COMMAND = Live
