"""Remarks: appended, numbered, never in place of what was spotted, whole after a crash."""

import json
import threading
from pathlib import Path

import pytest

from engines.errors import BadInput
from realtime.session_folder import SessionWriter
from realtime.session_remarks import REMARKS_NAME, add_remark, newest_remarks, read_remarks
from tests.realtime.session_fixtures import REGIONS, a_rejected, an_event


@pytest.fixture
def session(tmp_path: Path) -> Path:
    with SessionWriter(tmp_path / "session", source="clip.mp4", regions=REGIONS) as writer:
        writer.add_event(an_event(1.0))
        writer.add_event(an_event(2.0))
        writer.add_rejected(a_rejected(3.0))
        writer.finish("complete")
    return tmp_path / "session"


def test_remarks_come_back_as_they_were_made(session: Path) -> None:
    assert read_remarks(session) == ()
    events = (session / "events.jsonl").read_bytes()
    made = (
        add_remark(session, event_id=2, label="contempt", note="  left side only\nquite clear "),
        add_remark(session, rejected_number=1, note="looks real 微笑"),
        add_remark(session, time_s=1.25, note="the bell rings"),
    )
    assert read_remarks(session) == made
    assert [remark.remark_id for remark in made] == [1, 2, 3]
    assert made[0].note == "left side only\nquite clear"
    assert (session / "events.jsonl").read_bytes() == events
    lines = (session / REMARKS_NAME).read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == {
        "remark_id": 1, "made_at": made[0].made_at, "event_id": 2, "rejected_number": None, "time_s": None,
        "label": "contempt", "note": "left side only\nquite clear",
    }  # fmt: skip


def test_the_newest_counts_and_an_empty_one_takes_back(session: Path) -> None:
    add_remark(session, event_id=1, label="positive")
    add_remark(session, event_id=1, label="negative", note="on second thought")
    add_remark(session, event_id=2, label="surprise")
    add_remark(session, event_id=2)
    counted = newest_remarks(read_remarks(session))
    assert {target: remark.label for target, remark in counted.items()} == {("event", 1.0): "negative"}
    assert len(read_remarks(session)) == 4  # all that was said is still there


def test_a_line_that_a_crash_cut_off_costs_nothing_else(session: Path) -> None:
    add_remark(session, event_id=1, label="positive")
    with (session / REMARKS_NAME).open("ab") as file:
        file.write(b'{"remark_id": 2, "made_at": "2026')
    assert len(read_remarks(session)) == 1
    assert add_remark(session, event_id=2, note="after the crash").remark_id == 2
    assert [remark.note for remark in read_remarks(session)] == ["", "after the crash"]


def test_a_whole_last_line_without_its_end_stays(session: Path) -> None:
    (session / REMARKS_NAME).write_bytes(b'{"event_id": 1, "label": "by hand"}')
    add_remark(session, event_id=2, label="positive")
    assert [(remark.remark_id, remark.label) for remark in read_remarks(session)] == [(1, "by hand"), (2, "positive")]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"event_id": 9}, "there is no event 9"),
        ({"rejected_number": 2}, "no rejected movement 2"),
        ({"rejected_number": 0}, "no rejected movement 0"),
        ({"time_s": float("nan")}, "no time in a recording"),
        ({"time_s": -1.0}, "no time in a recording"),
        ({}, "name exactly one"),
        ({"event_id": 1, "time_s": 1.0}, "name exactly one"),
        ({"event_id": 1, "label": "x" * 81}, "at most 80"),
        ({"event_id": 1, "note": "x" * 4001}, "at most 4000"),
        ({"event_id": 1, "note": "so\x0bthen"}, r"the note: character 3 is a control character \(U\+000B\); remove it"),
        ({"event_id": 1, "label": "smile\x00"}, r"the label: character 6 is a control character \(U\+0000\)"),
        ({"event_id": 1, "note": "half \ud83d"}, r"the note: character 6 is a control character \(U\+D83D\)"),
    ],
)
def test_what_cannot_be_a_remark_is_refused_in_one_line(session: Path, said: dict[str, object], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        add_remark(session, **said)  # type: ignore[arg-type]
    assert not (session / REMARKS_NAME).exists()


def test_line_breaks_and_tabs_stay(session: Path) -> None:
    assert add_remark(session, event_id=1, note="one\r\ntwo\tthree").note == "one\ntwo\tthree"


def test_a_folder_that_is_no_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a session"):
        add_remark(tmp_path, time_s=0.0, note="hello")


def test_remarks_made_at_once_are_all_kept_and_numbered(session: Path) -> None:
    threads = [
        threading.Thread(target=add_remark, args=(session,), kwargs={"time_s": float(second), "note": f"at {second}"})
        for second in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    remarks = read_remarks(session)
    assert [remark.remark_id for remark in remarks] == list(range(1, 21))
    assert {remark.note for remark in remarks} == {f"at {second}" for second in range(20)}


def test_a_session_that_is_replaced_keeps_the_remarks_on_the_old_one_apart(session: Path) -> None:
    for note in ("first run", "second run"):
        add_remark(session, time_s=1.0, note=note)
        with SessionWriter(session, source="clip.mp4", regions=REGIONS, overwrite=True) as writer:
            writer.finish("complete")
        assert read_remarks(session) == ()
    kept = sorted(path.name for path in session.glob("remarks*"))
    assert kept == ["remarks-1.jsonl", "remarks-2.jsonl"]
    assert "second run" in (session / "remarks-2.jsonl").read_text()
