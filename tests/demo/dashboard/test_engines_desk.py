"""What the engine view sets going: choosing keeps what runs, builds tell and end, archives become checkpoints."""

import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.dashboard import engine_desk
from demo.dashboard.data_folder import DataFolder
from demo.dashboard.engine_desk import EngineDesk
from demo.dashboard.engine_records import Machine, showable
from demo.dashboard.house import Choice
from demo.dashboard.jobs import Job, JobBoard
from engines.checkpoint import CARD_FILE, MODEL_FILE, WEIGHTS_FILE
from engines.doctor import Finding
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.tensorrt.build import BuildStopped
from engines.tensorrt.flavour import Flavour
from tests.engines.stand_in_checkpoint import stand_in_checkpoint
from tests.engines.tensorrt.conftest import rtx
from tests.engines.tensorrt.fake_tensorrt import NO_CARD, fake_card

__all__ = ["rtx"]

FINE = (Finding(name="onnxruntime", state="ok", detail="1.0"), Finding(name="tensorrt", state="ok", detail="1.7"))
WAIT_S = 60.0


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


Opened = Callable[..., EngineDesk]


@pytest.fixture
def open_desk(data: DataFolder, jobs: JobBoard) -> Opened:
    def opened(chosen: Choice | None = None, **changes: Any) -> EngineDesk:
        machine = Machine(card=changes.pop("card", lambda: NO_CARD), **changes)
        return EngineDesk(data, jobs, chosen or Choice(), machine=machine)

    return opened


def ended(jobs: JobBoard, job: Job) -> Job:
    over = jobs.wait(job.id, WAIT_S)
    assert over is not None
    assert over.state in ("done", "failed", "cancelled")
    return over


def shown(desk: EngineDesk, name: str) -> dict[str, Any]:
    return next(one for one in desk.overview()["checkpoints"] if one["name"] == name)


def test_each_checkpoint_has_its_card_or_what_is_wrong_with_it(open_desk: Opened, data: DataFolder) -> None:
    stand_in_checkpoint(data.checkpoints / "damaged")
    (data.checkpoints / "damaged" / WEIGHTS_FILE).write_bytes(b"x")
    (data.checkpoints / "linked").symlink_to(data.root.parent)
    listed = open_desk().overview()["checkpoints"]
    assert [one["name"] for one in listed] == ["default", "damaged", "linked", "mine"]
    default, damaged, linked, mine = listed
    assert default["licence"] == "Apache-2.0"
    assert default["card"]["limits"].startswith("It names the movement of facial muscles")
    assert damaged["fault"].startswith(f"{WEIGHTS_FILE} differs from the SHA-256 sum")
    assert linked["fault"].startswith("is a link")
    assert mine["fault"] == ""
    assert mine["card"]["files"].keys() == {MODEL_FILE, WEIGHTS_FILE}
    assert mine["bytes"] == sum(
        (data.checkpoints / "mine" / name).stat().st_size for name in (MODEL_FILE, WEIGHTS_FILE)
    )


def test_a_card_from_elsewhere_cannot_break_the_list() -> None:
    deep: Any = 1.0
    for _ in range(500):
        deep = [deep]
    assert showable({"uf1": float("nan"), "n": [1, float("inf")]}) == {"uf1": None, "n": [1, None]}
    assert "…" in str(showable(deep))


def test_what_stands_against_a_backend_is_said(open_desk: Opened) -> None:
    missing = Finding(name="tensorrt", state="missing", detail="TensorRT is not installed", remedy="install it")
    here = shown(open_desk(examine=lambda: (FINE[0], missing)), "mine")
    assert here["obstacles"] == {"tensorrt": "TensorRT is not installed; install it", "onnxruntime": ""}
    assert here["auto"] == "onnxruntime"
    unbuilt = shown(open_desk(examine=lambda: FINE, card=fake_card, flavours=list), "mine")
    assert unbuilt["obstacles"]["tensorrt"].startswith("TensorRT is not installed: pip install")


def test_choosing_takes_what_runs(open_desk: Opened) -> None:
    chosen = Choice()
    desk = open_desk(chosen)
    told = desk.choose("mine", "onnxruntime")
    assert (chosen.checkpoint, chosen.backend) == ("mine", "onnxruntime")
    assert told["runs_on"].startswith("ONNX Runtime ")
    assert desk.overview()["chosen"] == told


@pytest.mark.parametrize(
    ("name", "backend", "kind"),
    [
        ("mine", "tensorrt", BackendUnavailable),
        ("mine", "abacus", BadInput),
        ("damaged", "auto", BadCheckpoint),
        ("../mine", "auto", BadInput),
        ("nowhere", "auto", BadInput),
    ],
)
def test_what_does_not_run_leaves_the_old_choice(
    open_desk: Opened, data: DataFolder, monkeypatch: pytest.MonkeyPatch, name: str, backend: str, kind: type[Exception]
) -> None:
    def refuse(_checkpoint: object, backend: str) -> None:
        raise BackendUnavailable(f"backend {backend} cannot run here: no card; use onnxruntime")

    stand_in_checkpoint(data.checkpoints / "damaged")
    (data.checkpoints / "damaged" / CARD_FILE).unlink()
    if kind is BackendUnavailable:
        monkeypatch.setattr(engine_desk, "open_session", refuse)
    chosen = Choice()
    with pytest.raises(kind) as fault:
        open_desk(chosen).choose(name, backend)
    assert chosen == Choice()
    assert "\n" not in str(fault.value)


def test_an_engine_is_built_listed_and_kept(rtx: Flavour, open_desk: Opened, jobs: JobBoard) -> None:
    desk = open_desk(card=lambda: fake_card((8, 6)), examine=lambda: FINE, flavours=lambda: [rtx])
    job = ended(jobs, desk.build("mine", precision="fp16", capabilities=["8.9"]))
    assert (job.state, job.error) == ("done", None)
    assert job.title == "mine · fp16 · 8.9"
    assert job.result["kept"] is False
    (told,) = desk.work()
    assert told["id"] == job.id
    assert "reading the graph" in told["log"]
    assert told["log"][-1] == "writing engine and manifest"
    (engine,) = shown(desk, "mine")["engines"]
    assert engine["name"] == job.result["engine"]
    assert (engine["precision"], engine["capabilities"]) == ("fp16", ["8.9"])
    assert engine["obstacle"] == "was built for compute capability 8.9; RTX 4070 has 8.6"
    again = ended(jobs, desk.build("mine", precision="fp16", capabilities=["8.9"]))
    assert again.result["kept"] is True
    on_that_card = open_desk(card=lambda: fake_card((8, 9)), examine=lambda: FINE, flavours=lambda: [rtx])
    there = shown(on_that_card, "mine")
    assert there["engines"][0]["obstacle"] == ""
    assert (there["obstacles"]["tensorrt"], there["auto"]) == ("", "tensorrt")


def test_without_a_card_somebody_has_to_say_which(open_desk: Opened) -> None:
    with pytest.raises(BadInput, match=r"no card in this machine to build for \(no NVIDIA driver.*choose the cards"):
        open_desk().build("mine", precision="fp32", capabilities=[])


def test_a_build_that_fails_says_why_in_one_line(rtx: Flavour, open_desk: Opened, jobs: JobBoard) -> None:
    assert rtx.builds_without_card
    desk = open_desk()
    job = ended(jobs, desk.build("mine", precision="fp32", capabilities=["9.9"]))
    assert job.state == "failed"
    assert job.error is not None
    assert job.error.startswith("compute capability 9.9: ")
    assert desk.work()[0]["log"] == [f"error: {job.error}"]


def test_a_cancelled_build_ends_at_its_next_step(
    open_desk: Opened, jobs: JobBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def build(_checkpoint: object, *, on_step: Callable[[str], None], stopped: Callable[[], bool], **_: object) -> None:
        on_step("tuning")
        begun.set()
        until = threading.Event()
        while not stopped():
            until.wait(0.01)
        raise BuildStopped

    monkeypatch.setattr(engine_desk, "build_engine", build)
    desk = open_desk()
    first = desk.build("mine", precision="fp32", capabilities=["8.9"])
    assert begun.wait(WAIT_S)
    # Measured beside a build, figures would be the build's too.
    second = desk.measure("mine")
    jobs.cancel(second.id)
    assert ended(jobs, second).state == "cancelled"
    assert first.state == "running"
    assert first.note == "tuning"
    jobs.cancel(first.id)
    assert ended(jobs, first).state == "cancelled"


def test_measuring_tells_how_far_it_is(open_desk: Opened, jobs: JobBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float | None, str]] = []

    def compare(checkpoint: Any, *, on_share: Callable[[float, str], None]) -> dict[str, Any]:
        on_share(0.5, "halfway")
        told.extend((job.fraction, job.note) for job in jobs.all())
        return {"checkpoint": checkpoint.name, "rows": []}

    monkeypatch.setattr(engine_desk, "compare_backends", compare)
    assert ended(jobs, open_desk().measure("mine")).result == {"checkpoint": "mine", "rows": []}
    assert told == [(0.5, "halfway")]


def test_the_doctor_looks_at_the_checkpoints_of_the_folder(data: DataFolder, jobs: JobBoard) -> None:
    asked: list[Path] = []

    def doctor(folders: Iterable[Path]) -> list[Finding]:
        asked.extend(folders)
        return list(FINE)

    desk = EngineDesk(data, jobs, Choice(), doctor=doctor)
    assert ended(jobs, desk.examine()).result == [finding.as_record() for finding in FINE]
    assert asked == [data.checkpoints / "mine"]


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ("new.zip", "new"),
        ("mine.zip", "mine-2"),
        ("default.zip", "default-2"),
        ("../../é ü.zip", "é-ü"),
        ("", "the-archive"),
    ],
)
def test_an_archive_becomes_a_checkpoint_that_can_be_chosen(
    open_desk: Opened, data: DataFolder, jobs: JobBoard, given: str, called: str
) -> None:
    archive = packed(data.temporary / "sent.zip", data.checkpoints / "mine")
    desk = open_desk()
    assert ended(jobs, desk.take_in(archive, given)).result == {"checkpoint": called}
    assert not archive.exists()
    assert shown(desk, called)["fault"] == ""
    assert desk.choose(called, "auto")["checkpoint"] == called


def test_an_archive_that_is_none_leaves_nothing(open_desk: Opened, data: DataFolder, jobs: JobBoard) -> None:
    archive = data.temporary / "sent.zip"
    archive.write_text("no archive")
    job = ended(jobs, open_desk().take_in(archive, "folder/new.zip"))
    assert job.state == "failed"
    assert job.error == "new.zip is no zip archive, or a damaged one: pack the checkpoint's folder as a plain zip"
    assert not archive.exists()
    assert [path.name for path in data.checkpoints.iterdir()] == ["mine"]


def packed(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in (CARD_FILE, MODEL_FILE, WEIGHTS_FILE):
            archive.write(folder / file, f"checkpoint/{file}")
    return path
