"""`onset score`: sessions find their videos, and faults are named in one line."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from demo.cli import main
from demo.score import MatchRules, score, score_table, write_matches
from demo.score_tables import by_rate_table, by_video_table
from demo.scored_runs import read_videos
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


def write_session(
    folder: Path, source: str, records: list[dict[str, Any]], *, duration_s: float = 30.0, rate_hz: float | None = None
) -> Path:
    write_lines(folder / "events.jsonl", records)
    session = {"source": source, "duration_s": duration_s, "frame_rate_hz": rate_hz}
    (folder / "session.json").write_text(json.dumps(session))
    return folder


def printed(table: Table | None) -> str:
    console = Console(width=160, file=io.StringIO())
    with console.capture() as said:
        console.print(table)
    return said.get()


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
    assert result["by_video"]["b.mp4"] == {
        "frame_rate_hz": None, "true_positives": 1, "false_positives": 1, "false_negatives": 0,
    }  # fmt: skip
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
    assert "taken in the order given: a.mp4 ← " in result["notes"][0]
    assert score(truth, placed[::-1])["all"]["true_positives"] == 0
    assert score(truth, named)["notes"] == []


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
    text = printed(score_table(score(truth, runs)))
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
        (["c.mp4", "d.mp4"], "watched 'c' and belongs to none of the videos"),
    ],
)
def test_videos_that_do_not_fit_are_named(truth: Path, tmp_path: Path, sources: list[str], message: str) -> None:
    runs = [write_session(tmp_path / f"run{at}", source, []) for at, source in enumerate(sources)]
    with pytest.raises(BadInput, match=message) as fault:
        score(truth, runs)
    assert "\n" not in str(fault.value)


def test_one_session_of_another_video_is_refused_and_taken_on_request(tmp_path: Path) -> None:
    truth = write_lines(tmp_path / "truth.jsonl", [expression("a.mp4", 2.0)])
    other = write_session(tmp_path / "session", "z.mp4", [expression(None, 2.0)])
    with pytest.raises(BadInput, match=r"watched 'z' .* \(a.mp4\); give the session of one of them, or --in-order"):
        score(truth, [other])
    assert score(truth, [other], in_order=True)["all"]["true_positives"] == 1
    with pytest.raises(BadInput, match=r"has 1 videos \(a.mp4\) and 2 events"):
        score(truth, [other, other], in_order=True)


def test_one_file_may_hold_the_events_of_all_videos(truth: Path, tmp_path: Path) -> None:
    lines = [expression("b.mp4", 3.0), expression("b.mp4", 9.0)]
    result = score(truth, [write_lines(tmp_path / "spotted.jsonl", lines)])
    assert result["by_video"]["b.mp4"]["true_positives"] == 1
    assert (result["all"]["false_positives"], result["all"]["false_negatives"]) == (1, 2)
    lines.append(expression("elsewhere.mp4", 1.0))
    with pytest.raises(BadInput, match="belongs to none of the videos"):
        score(truth, [write_lines(tmp_path / "spotted.jsonl", lines)])


def test_videos_of_several_rates_are_scored_by_rate(tmp_path: Path) -> None:
    truth = write_lines(tmp_path / "truth.jsonl", [expression(f"{name}.mp4", 2.0) for name in "abcd"])
    rates, found = {"a": 29.8, "b": 30.2, "c": 100.0, "d": 199.0}, {"a": 2.0, "b": 9.0, "c": 2.0, "d": 2.0}
    runs = [
        write_session(tmp_path / name, f"{name}.mp4", [expression(None, found[name])], rate_hz=rates[name])
        for name in "abcd"
    ]
    result = score(truth, runs)
    assert list(result["by_rate_hz"]) == ["30", "100", "199"]
    slow = result["by_rate_hz"]["30"]
    assert (slow["videos"], slow["duration_s"]) == (2, 60.0)
    assert (slow["micro"]["f1"], slow["all"]["false_alarms_per_minute"]) == (0.5, 1.0)
    assert result["by_rate_hz"]["100"]["micro"]["f1"] == 1.0
    text = printed(by_rate_table(result))
    assert [line.split()[1] for line in text.splitlines() if "│" in line][-3:] == ["30", "100", "199"]
    assert by_rate_table(score(write_lines(tmp_path / "one.jsonl", [expression("a.mp4", 2.0)]), runs[:1])) is None
    assert "29.8" in printed(by_video_table(result))


def test_the_rate_that_was_filmed_wins_over_the_measured_one(tmp_path: Path) -> None:
    truth = write_lines(tmp_path / "truth.jsonl", [expression("a.mp4", 2.0)])
    film = {"video": "a.mp4", "parameters": {"duration_s": 60.0}, "filming": {"frame_rate_hz": 120.0}}
    (tmp_path / "scene.json").write_text(json.dumps({"videos": [film]}))
    result = score(truth, [write_session(tmp_path / "a", "a.mp4", [], rate_hz=111.0)])
    assert list(result["by_rate_hz"]) == ["120"]


def test_the_table_of_matches_holds_every_truth_and_every_event(truth: Path, tmp_path: Path) -> None:
    runs = [
        write_session(tmp_path / "a", "a.mp4", [expression(None, 2.03, kind="macro")], rate_hz=100.0),
        write_session(tmp_path / "b", "b.mp4", [expression(None, 9.0)]),
    ]
    arguments = ["score", "--truth", str(truth), "--events", *map(str, runs), "--matches", str(tmp_path / "m.csv")]
    assert main(arguments) == 0
    with (tmp_path / "m.csv").open() as file:
        rows = list(csv.DictReader(file))
    counted = Counter((row["counted_as"], row["outcome"]) for row in rows)
    assert counted == {
        ("micro", "missed"): 3, ("micro", "false alarm"): 1, ("macro", "false alarm"): 1,
        ("all", "hit"): 1, ("all", "missed"): 2, ("all", "false alarm"): 1,
    }  # fmt: skip
    hit = next(row for row in rows if row["outcome"] == "hit")
    assert (hit["video"], hit["frame_rate_hz"], hit["truth_kind"], hit["event_kind"]) == (
        "a.mp4", "100.0", "micro", "macro",
    )  # fmt: skip
    assert (float(hit["onset_error_ms"]), float(hit["apex_error_ms"])) == (30.0, 30.0)
    assert float(hit["iou"]) == pytest.approx(0.37 / 0.43, abs=1e-6)
    missed = next(row for row in rows if row["outcome"] == "missed")
    assert (missed["event_onset_s"], missed["iou"], missed["onset_error_ms"]) == ("", "", "")


def test_a_table_of_matches_that_cannot_be_written_is_named(truth: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="choose another file for --matches"):
        write_matches(read_videos(truth, [truth]), MatchRules(), tmp_path / "nowhere" / "m.csv")


def test_score_curves_are_scored_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curve = np.zeros(100, np.float32)
    curve[40:50] = 1.0
    np.savez(
        tmp_path / "curves.npz",
        lab_macro__a__score=curve, lab_macro__a__gt=np.array([[38, 52]]),
        lab_macro__b__score=np.ones(80, np.float32), lab_macro__b__gt=np.array([[10, 20]]),
    )  # fmt: skip
    # k = (12 + 1) / 2 = 6: the hill of ten ones smooths over twelve to a plateau around frame 45.
    assert main(["score", "--curves", str(tmp_path / "curves.npz"), "--json"]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    macro = result["macro"]
    assert (macro["true_positives"], macro["false_positives"], macro["false_negatives"]) == (1, 1, 1)
    assert result["duration_s"] == pytest.approx(180 / 30)
    assert "micro" not in result
    assert "peak ± 6 frames" in said.err
    assert "1 of 2 curves have no peak" in said.err
    assert main(["score", "--curves", str(tmp_path / "curves.npz"), "--ignore-empty-curves", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["macro"]["false_positives"] == 0
    assert main(["score", "--curves", str(tmp_path / "curves.npz"), "--half-length-frames", "0"]) == 2
    assert "half length 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give --truth FILE and --events"),
        (["--truth", "t.jsonl"], "give --truth FILE and --events"),
        (["--curves", "c.npz", "--truth", "t.jsonl"], "without --truth and --events"),
        (["--curves", "nowhere.npz"], "no such file"),
        (["--curves", "c.npz", "--frame-rate-hz", "0"], "--frame-rate-hz 0.0: must be above 0"),
        (["--curves", "c.npz", "--minimum-iou", "0"], "must be above 0 and at most 1"),
    ],
)
def test_words_that_do_not_go_together_end_in_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"video": "a.mp4", "onset_s": 1.0}', "line 1 has no offset_s"),
        ('{"video": "a.mp4", "onset_s": "soon", "offset_s": 2}', "times are numbers"),
        ('{"video": "a.mp4", "onset_s": 3, "offset_s": 2}', "ends before it begins"),
        ('{"video": "a.mp4", "onset_s": 1, "offset_s": Infinity}', "line 1 holds a time that is not finite"),
        ('{"video": "a.mp4", "onset_s": 1, "offset_s": 2, "kind": "Macro"}', "'Macro' is neither micro nor macro"),
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
