"""Real footage, where it is at hand: every recording replays to its end, whatever is in it."""

from pathlib import Path

import pytest

from realtime.session_reader import read_session
from realtime.session_run import SessionRun
from realtime.sources import open_source

FRAMES = {
    "pyfeat_single_face.mp4": (72, 72),
    "pyfeat_face_noface.mov": (169, 72),
    "pyfeat_no_face.mp4": (95, 0),
    "pexels_wolfganglanger_emotions_handocclusion.mp4": (472, 472),
    "grid_bbaf2n.mpg": (75, 75),
}
"""Frames of each video, and in how many of them a face is found."""


@pytest.mark.parametrize("name", FRAMES)
def test_a_real_video_replays_to_a_complete_session(name: str, shared_data: Path, tmp_path: Path) -> None:
    run = SessionRun(open_source(str(shared_data / "videos" / name)), tmp_path / "session")
    events = list(run.run())
    session = read_session(tmp_path / "session")
    frames, with_face = FRAMES[name]
    assert session.state == "complete"
    assert session.record["frames"]["read"] == frames
    assert session.record["frames"]["with_face"] == pytest.approx(with_face, abs=3)
    assert (tmp_path / "session" / "report.html").is_file()
    assert len(session.signals().index) >= frames
    for event in events:
        assert (session.media(event.event_id) / "clip.mp4").is_file()
    if with_face == 0:
        assert not events
        assert not session.rejected
