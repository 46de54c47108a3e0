"""Truth files of long videos: what they say, and that replay and score understand them."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from demo.recordings import find_recordings
from demo.score import score
from engines.errors import BadInput
from tests.trainers.datasets import long_video_trees as trees
from trainers.annotations import ClipTable
from trainers.datasets import casme3, casme_square, mmew, samm_long_videos
from trainers.datasets.spotting_truth import long_videos, write_truth

CASME_SQUARE: tuple[trees.Cells, ...] = (
    (1, "anger1_1", 11, 15, 20, "4", "negative", "macro-expression", None),
    (1, "anger1_2", 41, 45, 50, "12", "others", "micro-expression", None),
    (2, "anger1_1", 11, 0, 20, "12", "positive", "micro-expression", None),
)


@pytest.fixture
def square(tmp_path: Path) -> ClipTable:
    trees.write(tmp_path / "database", trees.casme_square(CASME_SQUARE), "code_final.xlsx")
    return casme_square.read(tmp_path / "database")


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "truth.jsonl").read_text().splitlines()]


def write_sessions(out: Path, sessions: Path, videos: list[str], events: list[dict[str, Any]]) -> list[Path]:
    """Session folders as a replay of the links leaves them."""
    for name in videos:
        folder = sessions / name
        folder.mkdir(parents=True)
        own = [event for event in events if event["video"] == name]
        (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in own))
        (folder / "session.json").write_text(json.dumps({"source": str(out / "videos" / name), "duration_s": 3.3}))
    return [sessions / name for name in videos]


def test_one_line_an_expression_in_seconds_from_the_first_file(square: ClipTable, tmp_path: Path) -> None:
    written = write_truth(square, tmp_path / "truth")
    first, second, third = lines(tmp_path / "truth")
    assert first == {
        "video": "15_0401girlcrashing", "subject": "s15", "clip": "anger1_1",
        "onset_index": 10, "apex_index": 14, "offset_index": 19,
        "onset_s": pytest.approx(10 / 30), "apex_s": pytest.approx(14 / 30), "offset_s": pytest.approx(19 / 30),
        "kind": "macro", "label": "negative", "coded_label": "negative", "action_units": "4",
    }  # fmt: skip
    assert (second["kind"], second["label"], second["coded_label"]) == ("micro", None, "others")
    assert (third["video"], third["apex_s"], third["label"]) == ("16_0401girlcrashing", None, "positive")
    assert (written.videos, written.micro, written.macro, written.labelled) == (2, 2, 1, 2)
    assert written.duration_s == pytest.approx(200 / 30)
    assert written.frame_rate_hz == 30.0


def test_the_description_holds_lengths_and_the_import_report(square: ClipTable, tmp_path: Path) -> None:
    write_truth(square, tmp_path / "truth")
    scene = json.loads((tmp_path / "truth" / "scene.json").read_text())
    assert [video["frames"] for video in scene["videos"]] == [100, 100]
    assert len(scene["findings"]) == 1
    assert "row 3 (s16 anger1_1): apex 0 lies outside" in scene["findings"][0]


def test_times_are_those_of_the_replay_even_where_files_are_missing(tmp_path: Path) -> None:
    trees.write(tmp_path, trees.casme_square(CASME_SQUARE[:1], frames=30), "code_final.xlsx")
    folder = tmp_path / "rawpic/s15/15_0401girlcrashing"
    for file in folder.iterdir():
        cv2.imwrite(str(file), np.full((4, 4, 3), 8 * int(file.stem[3:]), np.uint8))
    for number in (1, 2, 13):
        (folder / f"img{number:03d}.jpg").unlink()
    write_truth(casme_square.read(tmp_path), tmp_path / "truth")
    truth = lines(tmp_path / "truth")[0]
    (recording,) = find_recordings((str(tmp_path / "truth/videos/15_0401girlcrashing"),), tmp_path / "out", 30.0)
    shown, times_s = [], []
    with recording.open() as source:
        while (frame := source.read()) is not None:
            shown.append(round(float(frame.image.mean()) / 8))
            times_s.append(frame.time_ns / 1e9)
    for moment, number in (("onset", 11), ("apex", 15), ("offset", 20)):
        assert shown[truth[f"{moment}_index"]] == number
        assert times_s[truth[f"{moment}_index"]] == pytest.approx(truth[f"{moment}_s"])
    assert truth["onset_index"] == 8


def test_score_understands_truth_and_the_sessions_of_the_links(square: ClipTable, tmp_path: Path) -> None:
    out = tmp_path / "truth"
    write_truth(square, out)
    recordings = find_recordings(tuple(map(str, sorted((out / "videos").iterdir()))), tmp_path / "sessions", 30.0)
    names = [recording.folder.name for recording in recordings]
    assert names == ["15_0401girlcrashing", "16_0401girlcrashing"]
    result = score(out / "truth.jsonl", write_sessions(out, tmp_path / "sessions", names, lines(out)))
    assert (result["all"]["true_positives"], result["all"]["false_positives"]) == (3, 0)
    assert (result["micro"]["true_positives"], result["macro"]["true_positives"]) == (2, 1)
    assert result["duration_s"] == pytest.approx(6.6)


def test_videos_of_casme3_get_names_of_their_own(tmp_path: Path) -> None:
    rows = [
        (subject, video, onset, onset + 4, onset + 9, "4", "III", emotion)
        for subject in ("spNO.1", "spNO.12")
        for video, onset, emotion in (("a", 5, "happy"), ("a", 25, "Others"), ("b", 5, "sad"))
    ]
    trees.write(tmp_path, trees.casme3(rows), "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx")
    out = tmp_path / "truth"
    write_truth(casme3.read(tmp_path), out)
    videos = sorted(path.name for path in (out / "videos").iterdir())
    assert videos == ["spNO-1-a-color", "spNO-1-b-color", "spNO-12-a-color", "spNO-12-b-color"]
    assert all(Path(video).stem == video for video in videos)
    assert (out / "videos/spNO-12-b-color/5.jpg").is_file()
    assert [line["label"] for line in lines(out)][:3] == ["positive", None, "negative"]
    sessions = write_sessions(out, tmp_path / "sessions", videos, lines(out)[:-1])
    assert score(out / "truth.jsonl", sessions)["by_video"]["spNO-12-b-color"]["false_negatives"] == 1


def test_a_name_that_lies_under_two_subjects_is_told_apart(tmp_path: Path) -> None:
    rows = [(3, "happy1_1", *CASME_SQUARE[0][2:]), (7, "happy1_1", *CASME_SQUARE[0][2:]), CASME_SQUARE[0]]
    trees.write(tmp_path, trees.casme_square(rows), "code_final.xlsx")
    (tmp_path / "rawpic/s19/19_0502funnyerrors").rename(tmp_path / "rawpic/s19/23_0502funnyerrors")
    videos = long_videos(casme_square.read(tmp_path))
    assert [video.name for video in videos] == [
        "15_0401girlcrashing", "s19-23_0502funnyerrors", "s23-23_0502funnyerrors",
    ]  # fmt: skip


def test_unknown_emotions_of_samm_carry_no_label_and_emotions_can_be_kept(tmp_path: Path) -> None:
    rows: list[trees.Cells] = [
        ("006", "006_1_1", 1, 10, 14, 19, 10, "Macro", "12", None),
        ("006", "006_1_2", 1, 30, -1, 39, 10, "Micro - 1/2", "4", None),
    ]
    trees.write(tmp_path, trees.samm_long_videos(rows), "SAMM_LongVideos_V2_Release.xlsx")
    trees.write_sheets(tmp_path / "SAMM_Micro_FACS_Codes_v2.xlsx", {"MICRO_ONLY": trees.samm_rows(rows, "Contempt")})
    table = samm_long_videos.read(tmp_path)
    write_truth(table, tmp_path / "truth", links=False)
    assert [(line["label"], line["kind"]) for line in lines(tmp_path / "truth")] == [
        (None, "macro"), ("negative", "micro"),
    ]  # fmt: skip
    assert lines(tmp_path / "truth")[0]["onset_s"] == pytest.approx(9 / 200)
    assert not (tmp_path / "truth/videos").exists()
    write_truth(table, tmp_path / "truth", scheme="emotions", overwrite=True)
    assert [line["label"] for line in lines(tmp_path / "truth")] == [None, "contempt"]


def test_nothing_is_overwritten_by_accident_and_stale_links_go(square: ClipTable, tmp_path: Path) -> None:
    out = tmp_path / "truth"
    write_truth(square, out)
    before = (out / "truth.jsonl").read_bytes()
    with pytest.raises(BadInput, match="holds a truth file already"):
        write_truth(square, out)
    assert (out / "truth.jsonl").read_bytes() == before
    (out / "videos/stale").symlink_to(tmp_path)
    write_truth(square, out, overwrite=True)
    assert not (out / "videos/stale").is_symlink()


def test_clips_cut_at_onset_and_offset_have_no_truth(tmp_path: Path) -> None:
    trees.write(tmp_path, trees.mmew([("S01", "S01-01-001", 1, 6, 12, "1+2", "surprise", None)]), "MMEW.xlsx")
    with pytest.raises(BadInput, match=r"database mmew under .* its clips are cut at onset and offset") as fault:
        write_truth(mmew.read(tmp_path), tmp_path / "truth")
    assert "\n" not in str(fault.value)
    assert not (tmp_path / "truth").exists()


def test_a_folder_that_cannot_be_used_ends_in_one_line(square: ClipTable, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written"):
        write_truth(square, tmp_path / "file")
    (tmp_path / "truth/videos/15_0401girlcrashing").mkdir(parents=True)
    with pytest.raises(BadInput, match="cannot be written"):
        write_truth(square, tmp_path / "truth")
    assert not (tmp_path / "truth/truth.jsonl").exists()
