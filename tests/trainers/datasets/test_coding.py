"""The one judgement of coded frames, and the report that gathers while a table is walked."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import BadInput
from tests.trainers.datasets.database_trees import Shot, write_frames
from trainers.datasets.coding import Coded, Intake, Rejected, frame_number, judge
from trainers.datasets.tables import Row


@pytest.mark.parametrize(
    ("text", "number"),
    [("46", 46), ("046", 46), ("46.0", 46), ("0", 0), ("", None), ("/", None), ("-1", None), ("46.5", None),
     ("nan", None), ("inf", None), ("n/a", None)],
)  # fmt: skip
def test_a_frame_number_is_a_whole_number_from_zero(text: str, number: int | None) -> None:
    assert frame_number(text) == number


def test_a_sound_row_stands_as_it_is() -> None:
    judgement = judge("46", "59", "77", range(40, 80))
    assert (judgement.onset, judgement.apex, judgement.offset, judgement.repairs) == (46, 59, 77, ())
    assert judge("46", "77", "77", range(40, 80)).repairs == ()
    assert judge("46", None, "77", range(40, 80)).repairs == ()


@pytest.mark.parametrize(
    ("coded", "expected", "repair"),
    [
        (("46", "/", "77"), (46, None, 77), "apex '/' is no frame number: it is to be found"),
        (("46", "90", "77"), (46, None, 77), "apex 90 lies outside onset 46 to offset 77: it is to be found"),
        (("46", "12", "77"), (46, None, 77), "apex 12 lies outside onset 46 to offset 77: it is to be found"),
        (("46", "46", "77"), (46, None, 77), "apex 46 is the onset, from which nothing has moved yet"),
        (("46", "59", "0"), (46, 59, 59), "offset '0' does not end what onset 46 begins: the apex 59 is taken"),
        (("46", "59", ""), (46, 59, 59), "offset '' does not end what onset 46 begins: the apex 59 is taken"),
        (("38", "59", "77"), (40, 59, 77), "2 of 40 frames from onset 38 to offset 77 are missing: onset 40 is taken"),
        (("46", "59", "81"), (46, 59, 79), "2 of 36 frames from onset 46 to offset 81 are missing: offset 79 is taken"),
        (("46", "80", "81"), (46, 79, 79), "apex 80 has no file: 79 is taken"),
    ],
)
def test_a_repair_says_what_was_done(
    coded: tuple[str, str, str], expected: tuple[int, int | None, int], repair: str
) -> None:
    judgement = judge(*coded, range(40, 80))
    assert (judgement.onset, judgement.apex, judgement.offset) == expected
    assert any(said.startswith(repair) for said in judgement.repairs)


def test_frames_missing_within_are_counted_and_the_nearest_to_the_apex_is_taken() -> None:
    judgement = judge("46", "50", "77", [*range(46, 49), *range(53, 78)])
    assert (judgement.onset, judgement.apex, judgement.offset) == (46, 48, 77)
    assert judgement.repairs == (
        "4 of 32 frames from onset 46 to offset 77 are missing: the others are taken",
        "apex 50 has no file: 48 is taken",
    )


@pytest.mark.parametrize(
    ("coded", "reason"),
    [
        (("/", "50", "77"), "onset '/' is no frame number"),
        (("46", "/", "0"), "offset '0' does not end what onset 46 begins"),
        (("46", "46", "0"), "offset '0' does not end what onset 46 begins"),
        (("46", "46", "46"), "onset and offset are the same frame 46"),
        (("146", "150", "177"), "0 of 32 frames from onset 146 to offset 177 are there (the folder has 40 to 79)"),
        (("10", "30", "50"), "11 of 41 frames from onset 10 to offset 50 are there"),
    ],
)
def test_what_no_rule_saves_is_rejected(coded: tuple[str, str, str], reason: str) -> None:
    with pytest.raises(Rejected) as fault:
        judge(*coded, range(40, 80))
    assert str(fault.value).startswith(reason)


cells = st.one_of(st.integers(-2, 40).map(str), st.sampled_from(["", "/", "12.0", "x"]))


@given(cells, st.none() | cells, cells, st.sets(st.integers(0, 40), min_size=1))
def test_whatever_is_coded_comes_out_in_order_and_on_disk_or_is_rejected(
    onset: str, apex: str | None, offset: str, frames: set[int]
) -> None:
    try:
        judgement = judge(onset, apex, offset, frames)
    except Rejected:
        return
    assert judgement.onset < judgement.offset
    assert {judgement.onset, judgement.offset} <= frames
    if judgement.apex is not None:
        assert judgement.onset < judgement.apex <= judgement.offset
        assert judgement.apex in frames
    coded = (frame_number(onset), frame_number(offset)), None if apex is None else frame_number(apex)
    if coded != ((judgement.onset, judgement.offset), judgement.apex):
        assert judgement.repairs


def _clip_of(folder: Path, name: str = "EP01_01") -> Coded:
    return Coded(
        subject="sub01", name=name, folder=folder, onset="3", apex="5", offset="9", label=" Happiness",
        action_units="12",
    )  # fmt: skip


def _frames(folder: Path) -> Path:
    shot = Shot(subject="sub01", clip="EP01_01", number=1, onset=3, apex=5, offset=9, emotion="happiness")
    write_frames((folder / f"img{number}.jpg", shot) for number in range(3, 10))
    return folder


def test_every_row_is_a_clip_or_a_line_that_names_table_row_and_clip(tmp_path: Path) -> None:
    intake = Intake("casme2", tmp_path, tmp_path / "coding.xlsx", 200.0)
    folder = _frames(tmp_path / "sub01" / "EP01_01")
    (tmp_path / "empty").mkdir()
    clip = intake.take(Row(2, ()), _clip_of(folder))
    assert clip is not None
    assert (clip.label, clip.action_units, clip.frame_rate_hz, clip.kind) == ("happiness", "12", 200.0, "micro")
    assert intake.take(Row(3, ()), _clip_of(tmp_path / "nowhere", "EP01_02")) is None
    assert intake.take(Row(4, ()), _clip_of(tmp_path / "empty", "EP01_03")) is None
    assert intake.take(Row(5, ()), _clip_of(folder)) is None
    intake.without_row(tmp_path / "sub09" / "EP02_02f", "sub09 EP02_02f")
    table = intake.clip_table()
    assert [str(finding) for finding in table.findings] == [
        f"rejected: coding.xlsx row 3 (sub01 EP01_02): folder {tmp_path / 'nowhere'} is not there",
        f"rejected: coding.xlsx row 4 (sub01 EP01_03): folder {tmp_path / 'empty'} holds no numbered image",
        "rejected: coding.xlsx row 5 (sub01 EP01_01): stands in coding.xlsx row 2 already: the first one is kept",
        "rejected: sub09/EP02_02f (sub09 EP02_02f): images without a row in coding.xlsx: left out",
    ]
    assert (table.rows, len(table.clips), dict(table.labels)) == (4, 1, {"happiness": 1})


def test_a_table_without_a_single_clip_is_one_line(tmp_path: Path) -> None:
    intake = Intake("casme2", tmp_path, tmp_path / "coding.xlsx", 200.0)
    intake.take(Row(3, ()), _clip_of(tmp_path / "nowhere"))
    with pytest.raises(
        BadInput, match=r"coding\.xlsx gives no clip.*first fault is .*row 3 \(sub01 EP01_01\)"
    ) as fault:
        intake.clip_table()
    assert "\n" not in str(fault.value)
