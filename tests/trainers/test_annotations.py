"""The clip table and the frames of a clip."""

from pathlib import Path

import pytest

from tests.trainers.datasets.database_trees import Shot, write_frames
from trainers.annotations import Clip, Finding, last_integer, numbered_frames, table_of

SHOT = Shot(subject="s", clip="c", number=1, onset=1, apex=2, offset=3, emotion="")


@pytest.mark.parametrize(
    ("name", "number"),
    [("reg_img46.jpg", 46), ("006_05562.jpg", 5562), ("image17581039.jpg", 17581039), ("S01-01-001", 1),
     ("cover.jpg", None), ("img7b.png", 7), ("0.bmp", 0)],
)  # fmt: skip
def test_the_last_integer_of_a_name(name: str, number: int | None) -> None:
    assert last_integer(name) == number


def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = ["img10.jpg", "img9.jpg", "img100.JPG", "img11.txt", "cover.jpg", "Thumbs.db", "._img9.jpg", "._img12.jpg"]
    write_frames((tmp_path / name, SHOT) for name in names)
    assert [(number, file.name) for number, file in numbered_frames(tmp_path).items()] == [
        (9, "img9.jpg"), (10, "img10.jpg"), (100, "img100.JPG"),
    ]  # fmt: skip


def test_a_folder_that_is_not_there_has_no_frames(tmp_path: Path) -> None:
    assert not numbered_frames(tmp_path / "nowhere")


def _clip(name: str, label: str) -> Clip:
    return Clip(
        dataset="samm", subject="006", name=name, folder=Path(name), onset=1, apex=None, offset=3, frame_rate_hz=200.0,
        label=label,
    )  # fmt: skip


def test_a_table_counts_its_labels(tmp_path: Path) -> None:
    clips = [_clip("a", "surprise"), _clip("b", "anger"), _clip("c", "surprise")]
    table = table_of("samm", tmp_path, clips, [], rows=4)
    assert list(table.labels.items()) == [("anger", 1), ("surprise", 2)]
    assert (table.clips, table.rows, table.findings) == (tuple(clips), 4, ())


def test_a_finding_reads_as_one_line() -> None:
    finding = Finding(outcome="repaired", where="SAMM.xlsx row 17", clip="028 028_4_1", fault="apex 1143 lies outside")
    assert str(finding) == "repaired: SAMM.xlsx row 17 (028 028_4_1): apex 1143 lies outside"
    assert str(Finding(outcome="rejected", where="SAMM.xlsx row 3", clip="", fault="no clip")) == (
        "rejected: SAMM.xlsx row 3: no clip"
    )
