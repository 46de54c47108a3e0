"""The registry: databases by name, and by what lies in a folder."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from engines.errors import BadInput
from tests.trainers.datasets.database_trees import SMIC_ROWS, write_casme2, write_samm, write_smic
from trainers.datasets.databases import DATABASES, database, recognise

NAMES = (
    "casme2", "smic-hs", "smic-vis", "smic-nir", "samm", "casme-square", "samm-long-videos", "casme3", "mmew",
    "own",
)  # fmt: skip


def test_every_database_has_its_importer_and_says_where_it_is_from() -> None:
    assert tuple(DATABASES) == NAMES
    for name, known in DATABASES.items():
        module = import_module(f"trainers.datasets.{known.module}")
        assert callable(getattr(module, f"read{known.part}"))
        assert callable(getattr(module, f"recognises{known.part}"))
        assert database(name) is known
        assert known.citation.rstrip()[-4:].isdigit() == (name != "own")
        assert (known.frame_rate_hz > 0) == (name != "own")


def test_an_unknown_name_is_one_line_with_all_names() -> None:
    with pytest.raises(BadInput, match="database 'casme' is unknown; choose among casme2, smic-hs") as fault:
        database("casme")
    assert all(name in str(fault.value) for name in NAMES)


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (write_casme2, "casme2"),
        (partial(write_casme2, layout="CASME2_RAW_selected"), "casme2"),
        (write_samm, "samm"),
        (write_smic, "smic-hs"),
        (partial(write_smic, layout="short", table=None), "smic-hs"),
        (partial(write_smic, part="VIS"), "smic-vis"),
        (partial(write_smic, part="NIR", layout="short"), "smic-nir"),
    ],
)
def test_a_database_is_recognised_by_its_folders(write: Callable[[Path], object], name: str, tmp_path: Path) -> None:
    write(tmp_path)
    found = recognise(tmp_path)
    assert found.name == name
    assert found.read(tmp_path).dataset == name
    assert [known.name for known in DATABASES.values() if known.recognises(tmp_path)] == [name]


def test_a_folder_is_read_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_smic(tmp_path / "SMIC", SMIC_ROWS[:1])
    monkeypatch.chdir(tmp_path / "SMIC" / "HS_long")
    assert recognise(Path()).name == "smic-hs"
    monkeypatch.chdir(tmp_path / "SMIC")
    (clip,) = recognise(Path()).read(Path()).clips
    assert clip.folder.is_absolute()


def test_several_data_sets_in_one_folder_want_a_name(tmp_path: Path) -> None:
    write_smic(tmp_path)
    write_smic(tmp_path, part="VIS")
    with pytest.raises(
        BadInput, match=r"holds several data sets \(smic-hs, smic-vis\): name those .*--datasets smic-hs"
    ):
        recognise(tmp_path)


def test_a_wrong_folder_is_one_line_that_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    with pytest.raises(BadInput, match=r"holds none of the databases; looked for casme2: Cropped/sub01") as fault:
        recognise(tmp_path)
    assert "\n" not in str(fault.value)
    assert all(f"{name}: " in str(fault.value) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_or_a_missing_folder_is_one_line(name: str, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert not database(name).recognises(missing)
    with pytest.raises(BadInput, match=f"{missing} is not there: give the folder of"):
        database(name).read(missing)
    with pytest.raises(BadInput) as fault:
        database(name).read(tmp_path)
    assert str(tmp_path) in str(fault.value)
    assert "\n" not in str(fault.value)


def test_recognising_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere is not there"):
        recognise(tmp_path / "nowhere")
