"""Routes of the engine view: what is refused is refused in one line, and no archive is kept that is too large."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.dashboard.data_folder import DataFolder
from demo.dashboard.engine_desk import EngineDesk
from demo.dashboard.engine_records import Machine
from demo.dashboard.engine_routes import desk_routes
from demo.dashboard.house import Choice
from demo.dashboard.jobs import JobBoard
from tests.demo.dashboard.test_engines_desk import packed
from tests.engines.stand_in_checkpoint import stand_in_checkpoint
from tests.engines.tensorrt.fake_tensorrt import NO_CARD

LARGEST = 100_000


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    stand_in_checkpoint(folder.checkpoints / "mine")
    return folder


@pytest.fixture
def jobs() -> Iterator[JobBoard]:
    board = JobBoard()
    yield board
    board.close()


@pytest.fixture
def browser(data: DataFolder, jobs: JobBoard) -> Iterator[TestClient]:
    desk = EngineDesk(data, jobs, Choice(), machine=Machine(card=lambda: NO_CARD))
    with TestClient(Starlette(routes=desk_routes(desk, data.temporary, largest_archive=LARGEST))) as client:
        yield client


def test_everything_is_told(browser: TestClient) -> None:
    told = browser.get("/onset/engines").json()
    assert [one["name"] for one in told["checkpoints"]] == ["default", "mine"]
    assert told["chosen"] == {"checkpoint": "default", "backend": "auto", "runs_on": ""}
    assert told["machine"]["no_card"] == NO_CARD.detail
    assert {finding["name"] for finding in told["machine"]["findings"]} >= {"onnxruntime", "tensorrt"}
    assert browser.get("/onset/engines/work").json() == []


def test_a_choice_is_taken_and_told(browser: TestClient) -> None:
    answer = browser.post("/onset/engines/choose", json={"checkpoint": "mine", "backend": "onnxruntime"})
    assert answer.status_code == 200
    assert browser.get("/onset/engines").json()["chosen"] == answer.json()
    refused = browser.post("/onset/engines/choose", json={"checkpoint": "mine", "backend": "abacus"})
    assert refused.status_code == 400
    assert "'abacus' is unknown" in refused.json()["error"]
    assert browser.get("/onset/engines").json()["chosen"] == answer.json()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"checkpoint": "../mine", "precision": "fp32"}, "there is no such checkpoint"),
        ({"checkpoint": "mine\0", "precision": "fp32"}, "there is no such checkpoint"),
        ({"checkpoint": 3, "precision": "fp32"}, "checkpoint must be a text"),
        ({"checkpoint": "mine"}, "precision must be a text"),
        ({"checkpoint": "mine", "precision": "fp32", "capabilities": "8.9"}, "capabilities must be a list"),
        ({"checkpoint": "mine", "precision": "fp32"}, "no card in this machine"),
        (["mine"], "one JSON object"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(
    browser: TestClient, jobs: JobBoard, asked: Any, said: str
) -> None:
    answer = browser.post("/onset/engines/build", json=asked)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert jobs.all() == []


def test_what_is_no_request_is_refused(browser: TestClient) -> None:
    assert browser.post("/onset/engines/build", content=b"{").json()["error"] == "the request is not written in JSON"
    assert "longer than" in browser.post("/onset/engines/build", content=b" " * 20_000).json()["error"]
    assert browser.get("/onset/engines/build").status_code == 405


def test_an_archive_that_is_sent_becomes_a_checkpoint(browser: TestClient, data: DataFolder, jobs: JobBoard) -> None:
    content = packed(data.root / "mine.zip", data.checkpoints / "mine").read_bytes()
    job = browser.post("/onset/checkpoints", params={"name": "sent.zip"}, content=content).json()
    ended = jobs.wait(job["id"], 60.0)
    assert ended is not None
    assert (ended.state, ended.result) == ("done", {"checkpoint": "sent"})
    assert [one["name"] for one in browser.get("/onset/engines").json()["checkpoints"]] == ["default", "mine", "sent"]
    assert list(data.temporary.iterdir()) == []


@pytest.mark.parametrize("stated", [True, False])
def test_an_archive_that_is_too_large_is_not_kept(
    browser: TestClient, data: DataFolder, jobs: JobBoard, stated: bool
) -> None:
    pieces = [b"x" * 40_000] * 4
    content: Any = b"".join(pieces) if stated else iter(pieces)
    answer = browser.post("/onset/checkpoints", params={"name": "large.zip"}, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the archive is larger than 0 MB")
    assert list(data.temporary.iterdir()) == []
    assert jobs.all() == []
