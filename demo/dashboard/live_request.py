"""What somebody asks the live run to watch."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from engines.errors import BadInput
from realtime.config import Settings
from realtime.sources import is_stream_address

BROWSER = "browser"
AWAY_S = 600.0
"""A camera may stay away for so long: somebody who comes back finds the session going on."""

LiveState = Literal["idle", "starting", "waiting-for-camera", "running", "camera-lost", "stopping", "failed"]


@dataclass(frozen=True, kw_only=True)
class LiveRequest:
    """A live run as it is asked for."""

    source: str
    """"camera 0" of this machine, "browser" for the camera of the page that asks, or the address of a stream."""
    checkpoint: str = "default"
    """Name of a checkpoint in the data folder, or "default"."""
    backend: str = "auto"
    sensitivity: float | None = None
    """The spotter's dial, 1 to 9; that of the settings where left out."""
    frame_rate_hz: float | None = None
    """Frame rate to ask a camera of this machine for."""
    record: bool = False
    """Keep the frames as a video, from the start."""
    lab_streaming: bool = False
    """Send the events as markers of the Lab Streaming Layer."""

    @property
    def camera_address(self) -> str:
        """What opens the camera or the stream.

        Raises:
            BadInput: if it is neither; a path that a browser asks for is not opened.
        """
        address = self.source.strip()
        numbered = re.fullmatch(r"(?:camera\s+)?(\d{1,3})", address)
        if numbered:
            return numbered[1]
        if re.fullmatch(r"/dev/video\d{1,3}", address) or is_stream_address(address):
            return address
        raise BadInput(
            f"{address or 'source'}: neither a camera nor the address of a stream; choose a camera of the list, "
            "or give an address such as rtsp://camera/live"
        )

    def settings(self, settings: Settings) -> Settings:
        """The settings of the run: the dial as asked for, and more patience than on the command line.

        Raises:
            BadInput: if the dial does not go so far.
        """
        spotting = settings.spotting
        if self.sensitivity is not None:
            spotting = replace(spotting, sensitivity=self.sensitivity)
        recording = replace(settings.recording, give_up_s=max(AWAY_S, settings.recording.give_up_s))
        return replace(settings, spotting=spotting, recording=recording)


@dataclass(frozen=True, kw_only=True)
class LiveStart:
    """A live run that has been started."""

    session: str
    """Name of its session."""
    ticket: str | None = None
    """With which the page brings its camera, where that was asked for."""
