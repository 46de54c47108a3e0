"""Own recordings: a table of one's own beside folders of frames."""

from pathlib import Path

import pytest

from engines.errors import BadInput
from tests.trainers.drawn_clips import expression_scene, film_clip
from trainers.annotations import ClipTable
from trainers.datasets import own
from trainers.datasets.databases import recognise
from trainers.preparation import prepare
from trainers.workers import LocalWorkers

HEADER = "subject,clip,folder,onset,apex,offset,label,frame_rate_hz"


def write(root: Path, *rows: str, header: str = HEADER, frames: int = 30) -> Path:
    """A table, and a folder of empty frames for each that it speaks of in good order."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "clips.csv").write_text("\n".join([header, *rows]) + "\n")
    for name in ("frames/anna-1", "frames/ben-1"):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(1, frames + 1):
            (root / name / f"{number:06d}.png").touch()
    return root


def faults(table: ClipTable) -> list[str]:
    return [str(finding) for finding in table.findings]


def test_rows_become_clips_with_rates_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, "anna,smile,frames/anna-1,3,8,16,Positive,120", "ben,frown,frames/ben-1,2,,20,negative,29.97")
    assert recognise(tmp_path).name == "own"
    first, second = own.read(tmp_path).clips
    assert (first.dataset, first.subject, first.name, first.label) == ("own", "anna", "smile", "positive")
    assert (first.onset, first.apex, first.offset, first.frame_rate_hz, first.kind) == (3, 8, 16, 120.0, "micro")
    assert (second.apex, second.frame_rate_hz) == (None, 29.97)
    assert first.folder == tmp_path / "frames" / "anna-1"
    assert not own.read(tmp_path).findings


def test_what_cannot_be_kept_is_named_with_row_and_file(tmp_path: Path) -> None:
    (tmp_path / "anna.mp4").touch()
    rows = (
        "anna,a,frames/anna-1,3,8,16,positive,120,micro",
        "anna,b,anna.mp4,3,8,16,positive,120,micro",
        "anna,c,frames/nowhere,3,8,16,positive,120,micro",
        "anna,d,frames/anna-1,3,8,16,positive,soon,micro",
        "anna,e,frames/anna-1,3,8,16,positive,120,mini",
        "anna,f,frames/anna-1,3,28,16,positive,120,Macro",
        "anna,g,frames/anna-1,3,8,16,,120,micro",
        "anna,a,frames/anna-1,20,22,26,positive,120,micro",
    )
    table = own.read(write(tmp_path, *rows, header=f"{HEADER},kind"))
    assert [(clip.name, clip.kind) for clip in table.clips] == [("a", "micro"), ("f", "macro")]
    assert table.rows == 8
    assert faults(table) == [
        "rejected: clips.csv row 3 (anna b): anna.mp4 is a file: give a folder of its frames, got with "
        "ffmpeg -i anna.mp4 FOLDER/%06d.png",
        f"rejected: clips.csv row 4 (anna c): folder {tmp_path / 'frames' / 'nowhere'} is not there",
        "rejected: clips.csv row 5 (anna d): frame rate 'soon' is no number above 0",
        "rejected: clips.csv row 6 (anna e): kind 'mini' is neither micro nor macro",
        "repaired: clips.csv row 7 (anna f): apex 28 lies outside onset 3 to offset 16: it is to be found",
        "rejected: clips.csv row 8 (anna g): its label is empty",
        "rejected: clips.csv row 9 (anna a): stands in clips.csv row 2 already: the first one is kept",
    ]


def test_a_table_of_others_is_not_taken(tmp_path: Path) -> None:
    write(tmp_path, "anna,smile,frames/anna-1,3,8,16", header="subject,clip,folder,onset,apex,offset")
    assert not own.recognises(tmp_path)
    with pytest.raises(BadInput, match=r"holds no coding table .*frame_rate_hz"):
        own.read(tmp_path)
    (tmp_path / "clips.csv").write_bytes(b"\xff\xfe\x00")
    assert not own.recognises(tmp_path)


def test_own_recordings_are_prepared(tmp_path: Path) -> None:
    film_clip(tmp_path / "anna-1", expression_scene(), range(1, 25))
    row = "anna,surprise-1,anna-1,4,,17,surprise,100"
    (tmp_path / "clips.csv").write_text(f"{HEADER}\n{row}\n")
    made = prepare([tmp_path], tmp_path / "maps.npz", workers=LocalWorkers(1))
    assert (made.clips, made.labels, made.scheme) == (1, {"surprise": 1}, "emotions")
    assert made.datasets[0].apexes == {"spotter": 1}
