"""`onset truth`: what it prints and leaves."""

import json
from pathlib import Path

import pytest

from demo.commands.truth import Truth
from engines.errors import BadInput
from tests.trainers.datasets import long_video_trees as trees

ROWS: tuple[trees.Cells, ...] = (
    (1, "anger1_1", 11, 15, 0, "4", "negative", "macro-expression", None),
    (1, "anger1_2", 41, 45, 50, "12", "positive", "micro-expression", None),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    trees.write(tmp_path / "database", trees.casme_square(ROWS), "code_final.xlsx")
    return tmp_path / "database"


def test_a_recognised_database_and_the_commands_that_come_next(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "truth"
    assert Truth(root=root, out=out).run() == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"{out}: 1 videos, 0.1 minutes, 1 micro- and 1 macro-expressions; next:",
        f"  onset replay {out}/videos/* --frame-rate-hz 30 --out SESSIONS",
        f"  onset score --truth {out}/truth.jsonl --events SESSIONS",
    ]
    assert said.err.startswith("repaired: code_final.xlsx sheet CASFEcode_final row 1 (s15 anger1_1): offset '0'")
    assert sorted(file.name for file in out.iterdir()) == ["scene.json", "truth.jsonl", "videos"]


def test_a_named_database_as_json(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = Truth(dataset="casme-square", root=root, out=tmp_path / "truth", labels="emotions", json=True)
    assert words.run() == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["videos"], record["labelled"], record["frame_rate_hz"]) == (1, 2, 30.0)
    with pytest.raises(BadInput, match="holds a truth file already"):
        words.run()


def test_a_wrong_folder_or_scheme_ends_in_one_line(root: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="composite-2019 has no labels for casme-square"):
        Truth(root=root, out=tmp_path / "truth", labels="composite-2019").run()
    with pytest.raises(BadInput, match="holds none of the databases"):
        Truth(root=tmp_path / "database/rawpic/s15", out=tmp_path / "truth").run()
    assert not (tmp_path / "truth").exists()
