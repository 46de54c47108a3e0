"""Sessions side by side: figures that add up, and events that meet."""

from pathlib import Path

import pytest

from demo.session_comparison import MOST, compare
from engines.errors import BadInput
from realtime.session_folder import SessionStatistics, SessionWriter
from realtime.session_remarks import add_remark
from tests.realtime.session_fixtures import REGIONS, HandClock, a_rejected, an_event


def run_over(folder: Path, onsets_s: list[float], *, source: str = "talk.mp4", label: str = "positive") -> Path:
    writer = SessionWriter(folder, source=source, regions=REGIONS, clock=HandClock())
    for onset_s in onsets_s:
        writer.add_event(an_event(onset_s, label=label))
    for second in (1, 2, 3):
        writer.add_rejected(a_rejected(2.0, reason=f"the head turned from {second}.00 s to 2.10 s; the light jumped"))
    conditions = {"quality": 64, "word": "fair", "smallest_movement_px": 0.8}
    statistics = SessionStatistics(frames_read=900, frames_with_face=450, duration_s=30.0, conditions=conditions)
    writer.finish("complete", statistics=statistics)
    return folder


def test_figures_of_each(tmp_path: Path) -> None:
    one, two = run_over(tmp_path / "one", [1, 5, 9]), run_over(tmp_path / "two", [1])
    add_remark(one, event_id=2, label="contempt")
    first, second = compare([one, two])["sessions"]
    assert (first["micro"], first["micro_a_minute"], first["rejected_a_minute"]) == (3, 6.0, 6.0)
    assert (second["name"], second["micro_a_minute"]) == ("two", 2.0)
    assert first["reasons"] == [{"reason": "the head turned from 1.00 s to 2.10 s", "count": 3}]
    assert first["labels"] == {"positive": 3}
    assert first["corrected"] == 1
    assert first["parts"] == {"brows": 0, "lids": 0, "nose": 0, "cheeks": 0, "mouth": 3}
    assert (first["quality"], first["with_face"]) == (64, 0.5)
    assert [event["corrected_label"] for event in first["events"]] == [None, "contempt", None]


def test_events_over_one_recording_meet(tmp_path: Path) -> None:
    one = run_over(tmp_path / "one", [1.0, 5.0, 9.0])
    two = run_over(tmp_path / "two", [1.02, 4.7, 9.0, 12.0], source="elsewhere/talk.mp4", label="negative")
    (pairing,) = compare([one, two])["pairings"]
    assert [(met["first"], met["other"]) for met in pairing["met"]] == [(1, 1), (3, 3)]
    assert pairing["met"][0]["apex_difference_ms"] == 20.0
    assert pairing["met"][0]["iou"] == pytest.approx(0.23 / 0.27, abs=1e-3)
    assert pairing["met"][0]["labels"] == ["positive", "negative"]
    assert (pairing["only_first"], pairing["only_other"]) == ([2], [2, 4])
    assert pairing["agreement"] == pytest.approx(4 / 7, abs=1e-3)
    assert (pairing["same_kind"], pairing["same_label"]) == (1.0, 0.0)


@pytest.mark.parametrize("source", ["other.mp4", "camera 0", ""])
def test_other_recordings_are_not_paired(tmp_path: Path, source: str) -> None:
    one, two = run_over(tmp_path / "one", [1.0]), run_over(tmp_path / "two", [1.0], source=source)
    assert compare([one, two])["pairings"] == []


def test_a_recording_that_went_on_for_longer_is_another_one(tmp_path: Path) -> None:
    one, two = run_over(tmp_path / "one", [1.0]), run_over(tmp_path / "two", [1.0])
    text = (two / "session.json").read_text().replace('"duration_s": 30.0', '"duration_s": 40.0')
    (two / "session.json").write_text(text)
    assert compare([one, two])["pairings"] == []


def test_two_runs_without_events_agree_on_nothing_in_particular(tmp_path: Path) -> None:
    one, two = run_over(tmp_path / "one", []), run_over(tmp_path / "two", [])
    (pairing,) = compare([one, two])["pairings"]
    assert (pairing["met"], pairing["agreement"], pairing["same_label"]) == ([], None, None)


def test_bad_choices_are_refused(tmp_path: Path) -> None:
    one = run_over(tmp_path / "one", [1.0])
    for folders in ([one], [one, one], [one] * (MOST + 1), [one, tmp_path / "none"]):
        with pytest.raises(BadInput):
            compare(folders)
