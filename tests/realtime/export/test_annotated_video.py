"""The annotated video: every picture of the source at its time, drawn under, never over."""

from pathlib import Path

import av
import numpy as np
import pytest

from engines.errors import BadInput
from realtime.export.annotated_video import write
from realtime.export.material import read_material
from realtime.export.video_strip import COLOURS, SMALLEST_WIDTH
from tests.realtime.export.sessions import RATE_HZ, SECONDS, film, with_remarks, write_session
from tests.videos import number_of, write_numbered

SIZE = (SMALLEST_WIDTH, 480)


class Played:
    """A video decoded whole."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as container:
            frames = list(container.decode(video=0))
        self.times_s = [float(frame.time) for frame in frames if frame.time is not None]
        self.images = [frame.to_ndarray(format="rgb24") for frame in frames]

    def picture(self, place: int) -> np.ndarray:
        return self.images[place][: SIZE[1]]

    def strip(self, place: int) -> np.ndarray:
        return self.images[place][SIZE[1] :]


def near(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    """How many pixels are about of a colour."""
    return int((np.abs(image.astype(int) - colour).max(axis=2) < 45).sum())


def test_every_picture_is_there_at_its_time_with_its_event_under_it(tmp_path: Path) -> None:
    source = film(tmp_path / "films" / "talk.mp4")
    folder = with_remarks(write_session(tmp_path / "talk", source=str(source)))
    done: list[float] = []
    (file,) = write(read_material(folder), tmp_path, done.append)
    played = Played(file)
    assert len(played.images) == RATE_HZ * SECONDS
    np.testing.assert_allclose(played.times_s, np.arange(RATE_HZ * SECONDS) / RATE_HZ, atol=1e-4)
    assert [number_of(played.picture(place)) for place in (0, 7, 63, 119)] == [0, 7, 63, 119]
    words = [played.strip(place)[:45, : SMALLEST_WIDTH // 2] for place in range(len(played.images))]
    # The macro-expression is named from 0.3 s on; at the negative one's apex its colour leads.
    assert near(words[2], COLOURS["negative"]) == 0
    assert near(words[62], COLOURS["negative"]) > 100
    assert near(words[62], COLOURS["positive"]) == 0
    assert near(words[22], COLOURS["negative"]) == 0
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1.0, abs=0.02)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["films", "talk", "talk.annotated.mp4"]


def test_the_timeline_moves_on(tmp_path: Path) -> None:
    source = film(tmp_path / "talk.mp4")
    (file,) = write(read_material(write_session(tmp_path / "talk", source=str(source))), tmp_path, lambda _done: None)
    played = Played(file)
    places = [int(played.strip(place)[-4].min(axis=1).argmax()) for place in (20, 60, 100)]
    assert places == pytest.approx([SMALLEST_WIDTH * place / 120 for place in (20, 60, 100)], abs=8)


def test_a_recording_of_its_own_that_began_later_keeps_the_times_of_the_session(tmp_path: Path) -> None:
    recordings = [{"name": "recording.mp4", "first_s": 2.0}, {"name": "recording-2.mp4", "first_s": 5.0}]
    folder = write_session(tmp_path / "talk", source="camera 0", further={"recordings": recordings})
    write_numbered(folder / "recording.mp4", 40, frame_rate=RATE_HZ)
    write_numbered(folder / "recording-2.mp4", 10, frame_rate=RATE_HZ)
    (file,) = write(read_material(folder), tmp_path, lambda _done: None)
    played = Played(file)
    times_s = np.array(played.times_s)
    assert np.all(np.diff(times_s) > 0)
    assert (times_s[0], times_s[-1]) == (0.0, pytest.approx(5.45, abs=1e-3))
    filmed = [place for place, time_s in enumerate(times_s) if played.picture(place).mean() > 40]
    np.testing.assert_allclose(times_s[filmed][:40], 2 + np.arange(40) / RATE_HZ, atol=1e-3)
    assert [number_of(played.picture(place)) for place in (filmed[0], filmed[39], filmed[40])] == [0, 39, 0]
    # The negative event's apex, at 3.1 s.
    assert near(played.strip(filmed[22])[:45, :300], COLOURS["negative"]) > 100


def test_without_a_video_the_clips_of_the_events_are_shown(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "talk", source="gone.mp4")
    for number in (1, 2):
        (folder / "events" / f"{number:04d}").mkdir()
        write_numbered(folder / "events" / f"{number:04d}" / "clip.mp4", 30, width=512, height=304)
    (file,) = write(read_material(folder), tmp_path, lambda _done: None)
    played = Played(file)
    assert len(played.images) == 60
    assert all(before < after for before, after in zip(played.times_s, played.times_s[1:], strict=False))


def test_without_any_picture_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "talk", source="gone.mp4")
    with pytest.raises(BadInput, match="no video was made"):
        write(read_material(folder), tmp_path, lambda _done: None)
    assert [path.name for path in tmp_path.iterdir()] == ["talk"]


def test_it_can_be_ended_in_the_middle(tmp_path: Path) -> None:
    class Ended(Exception):
        pass

    def end(done: float) -> None:
        if done > 0.3:
            raise Ended

    source = film(tmp_path / "talk.mp4")
    with pytest.raises(Ended):
        write(read_material(write_session(tmp_path / "talk", source=str(source))), tmp_path, end)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["talk", "talk.mp4"]
