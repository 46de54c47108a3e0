"""`onset score`: sessions find their videos, and faults are named in one line."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo.score import score, score_table
from engines.errors import BadInput


def expression(video: str | None, onset_s: float, *, label: str = "positive", kind: str = "micro") -> dict[str, Any]:
    record = {
        "onset_s": onset_s, "apex_s": onset_s + 0.2, "offset_s": onset_s + 0.4, "kind": kind, "label": label,
    }  # fmt: skip
    return record if video is None else {"video": video, **record}


def write_lines(path: Path, records: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def write_session(folder: Path, source: str, records: list[dict[str, Any]], duration_s: float = 30.0) -> Path:
    write_lines(folder / "events.jsonl", records)
    (folder / "session.json").write_text(json.dumps({"source": source, "duration_s": duration_s}))
    return folder


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return write_lines(
        tmp_path / "truth.jsonl",
        [expression("a.mp4", 2.0), expression("a.mp4", 5.0, label="negative"), expression("b.mp4", 3.0)],
    )


def test_sessions_are_matched_by_their_source_in_any_order(truth: Path, tmp_path: Path) -> None:
    a = write_session(
        tmp_path / "run1", "/films/a.mp4", [expression(None, 2.0), expression(None, 5.0, label="positive")]
    )
    b = write_session(tmp_path / "run2", "b.mp4", [expression(None, 3.1), expression(None, 9.0)])
    result = score(truth, [b / "events.jsonl", a])
    assert result["videos"] == 2
    assert result["duration_s"] == 60.0
    micro = result["micro"]
    assert (micro["true_positives"], micro["false_positives"], micro["false_negatives"]) == (3, 1, 0)
    assert micro["false_alarms_per_minute"] == pytest.approx(1.0)
    assert micro["analysis"]["accuracy"] == pytest.approx(2 / 3)
    assert result["macro"]["true_positives"] == 0
    assert result["by_video"]["b.mp4"] == {"true_positives": 1, "false_positives": 1, "false_negatives": 0}
    json.dumps(result, allow_nan=False)


def test_files_are_matched_by_name_or_else_by_place(truth: Path, tmp_path: Path) -> None:
    named = [
        write_lines(tmp_path / "spotted" / "b.jsonl", [expression(None, 3.0)]),
        write_lines(tmp_path / "spotted" / "a.jsonl", [expression(None, 2.0)]),
    ]
    assert score(truth, named)["all"]["true_positives"] == 2
    placed = [
        write_lines(tmp_path / "first" / "events.jsonl", [expression(None, 2.0)]),
        write_lines(tmp_path / "second" / "events.jsonl", [expression(None, 3.0)]),
    ]
    result = score(truth, placed)
    assert result["all"]["true_positives"] == 2
    assert result["duration_s"] is None
    assert score(truth, placed[::-1])["all"]["true_positives"] == 0


def test_a_video_without_expressions_counts_for_its_false_alarms(tmp_path: Path) -> None:
    truth = write_lines(tmp_path / "truth.jsonl", [expression("a.mp4", 2.0)])
    videos = [{"video": name, "parameters": {"duration_s": 60.0}} for name in ("a.mp4", "calm.mp4")]
    (tmp_path / "scene.json").write_text(json.dumps({"videos": videos}))
    events = [
        write_lines(tmp_path / "a" / "events.jsonl", [expression(None, 2.0)]),
        write_lines(tmp_path / "calm" / "events.jsonl", [expression(None, 7.0)]),
    ]
    result = score(truth, events)
    assert result["all"]["false_positives"] == 1
    assert result["all"]["false_alarms_per_minute"] == pytest.approx(0.5)


def test_the_table_holds_the_figures(truth: Path, tmp_path: Path) -> None:
    runs = [
        write_session(tmp_path / "a", "a.mp4", [expression(None, 2.0)]),
        write_session(tmp_path / "b", "b.mp4", []),
    ]
    console = Console(width=160, file=io.StringIO())
    with console.capture() as printed:
        console.print(score_table(score(truth, runs)))
    text = printed.get()
    assert "1.0 min" in text
    assert "0.500" in text  # F1: one hit, two missed
    assert "micro" in text


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["a.mp4"], "no events given for b.mp4"),
        (["a.mp4", "a.mp4"], "second run of a.mp4"),
        (["a.mp4", "c.mp4"], "belongs to none of the videos"),
        (["c.mp4"], "belongs to none of the videos"),
    ],
)
def test_videos_that_do_not_fit_are_named(truth: Path, tmp_path: Path, sources: list[str], message: str) -> None:
    runs = [write_session(tmp_path / f"run{at}", source, []) for at, source in enumerate(sources)]
    with pytest.raises(BadInput, match=message) as fault:
        score(truth, runs)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"video": "a.mp4", "onset_s": 1.0}', "line 1 has no offset_s"),
        ('{"video": "a.mp4", "onset_s": "soon", "offset_s": 2}', "times are numbers"),
        ('{"video": "a.mp4", "onset_s": 3, "offset_s": 2}', "ends before it begins"),
        ("{damaged\n{}", "line 1 is not JSON"),
        ("", "names no video"),
    ],
)
def test_damaged_truths_are_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "truth.jsonl").write_text(line + "\n" if line else "")
    events = write_lines(tmp_path / "a" / "events.jsonl", [])
    with pytest.raises(BadInput, match=message):
        score(tmp_path / "truth.jsonl", [events])


def test_missing_files_are_named(truth: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        score(tmp_path / "nowhere.jsonl", [])
    with pytest.raises(BadInput, match="no such file"):
        score(truth, [tmp_path / "nowhere"])
