"""The tables, read back as people read them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from realtime.export.material import read_material
from realtime.export.tables import write
from realtime.session_reader import read_session
from tests.realtime.export.sessions import with_remarks, write_session

pandas = pytest.importorskip("pandas")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    material = read_material(with_remarks(write_session(tmp_path / "talk")))
    out = tmp_path / "out"
    out.mkdir()
    done: list[float] = []
    write(material, out, done.append)
    assert done == sorted(done)
    assert done[-1] == 1.0
    return out


def test_events_carry_both_labels(tables: Path) -> None:
    events = rows(tables / "events.csv")
    assert [event["event_id"] for event in events] == ["1", "2", "3", "4"]
    assert [event["label"] for event in events] == ["positive", "negative", "", "surprise"]
    assert [event["corrected_label"] for event in events] == ["", "轻蔑", "", ""]
    assert events[1]["note"] == 'half a smile; "really"'
    assert events[0]["action_units"] == "AU12 right 0.93"
    assert (events[0]["onset_s"], events[0]["apex_index"], events[0]["duration_ms"]) == ("1.0", "110", "250.0")
    assert float(events[0]["probability_positive"]) == 0.85
    assert events[2]["probability_positive"] == ""


def test_rejected_movements_carry_reason_and_note(tables: Path) -> None:
    rejected = rows(tables / "rejected.csv")
    assert [(one["rejected_number"], one["reason"], one["note"]) for one in rejected] == [
        ("1", "blink", ""),
        ("2", "the head turned", "was one after all"),
    ]


def test_no_remark_is_lost_and_the_standing_ones_are_marked(tables: Path) -> None:
    remarks = rows(tables / "remarks.csv")
    assert [(one["label"], one["stands"]) for one in remarks] == [
        ("contempt", "no"),
        ("轻蔑", "yes"),
        ("", "yes"),
        ("", "yes"),
    ]
    assert remarks[3]["note"] == "=telephone rang"


def test_signals_are_those_of_the_session_with_gaps_empty(tables: Path, tmp_path: Path) -> None:
    table = pandas.read_csv(tables / "signals.csv")
    signals = read_session(tmp_path / "talk").signals()
    assert table["index"].tolist() == signals.index.tolist()
    np.testing.assert_allclose(table["time_s"], signals.time_s)
    np.testing.assert_allclose(table["chin_y"], signals.displacement[:, 2, 1], rtol=1e-6)
    np.testing.assert_allclose(table["threshold"], signals.threshold, rtol=1e-6)
    assert table["strength"].isna().tolist() == np.isnan(signals.strength).tolist()
    assert table["gates"][5] == "blink; speech"
    assert ",nan" not in (tables / "signals.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("name", ["events.csv", "rejected.csv", "remarks.csv", "signals.csv"])
def test_every_column_is_explained(tables: Path, name: str) -> None:
    with (tables / name).open(encoding="utf-8-sig", newline="") as file:
        columns = next(csv.reader(file))
    explained = [row["column"] for row in rows(tables / "columns.csv") if row["table"] == name and row["meaning"]]
    assert explained == columns or sorted(explained) == sorted(columns)


def test_excel_and_pandas_read_them_as_utf8(tables: Path) -> None:
    assert (tables / "events.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert pandas.read_csv(tables / "events.csv")["corrected_label"][1] == "轻蔑"
    assert pandas.read_csv(tables / "signals.csv").columns[0] == "index"


def test_a_running_session_gives_what_is_there(tmp_path: Path) -> None:
    material = read_material(write_session(tmp_path / "talk", finish=False))
    assert "still being recorded" in material.notes[0]
    write(material, tmp_path, lambda _done: None)
    assert len(rows(tmp_path / "events.csv")) == 4
    assert len(rows(tmp_path / "signals.csv")) == 64  # what has gone to the disk


def test_a_session_without_signals_has_no_table_of_them(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "talk")
    (folder / "signals.parquet").unlink()
    files = write(read_material(folder), tmp_path, lambda _done: None)
    assert "signals.csv" not in [file.name for file in files]
