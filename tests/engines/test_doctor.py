"""The doctor on this machine, and on made-up ones: without a driver, without a card, too old, half installed."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from engines import checkpoint as checkpoint_module
from engines.checkpoint import load_checkpoint
from engines.doctor import Finding, examine, examine_engines, graphics, ground, inference, table
from engines.doctor.checkpoints import checkpoint as look_at
from engines.doctor.finding import guarded
from engines.doctor.probe import Probed, probe
from engines.graphics_card import GraphicsCard, NoCard
from engines.tensorrt.flavour import Flavour
from engines.tensorrt.key import EngineKey
from engines.tensorrt.manifest import EngineManifest
from engines.tensorrt.store import write_engine
from tests.engines.stand_in_checkpoint import stand_in_checkpoint
from tests.made_up_card import CARD

NO_DRIVER = NoCard(detail="no NVIDIA driver on this machine", remedy="install NVIDIA's driver")
NO_CARD = NoCard(detail="the NVIDIA driver sees no card", remedy="check that it is visible")
OLD_DRIVER = replace(CARD, cuda_version=(12, 4))
OLD_CARD = replace(CARD, compute_capability=(6, 1))
DATACENTER_CARD = replace(CARD, compute_capability=(9, 0))
RTX = Flavour(
    name="rtx",
    module=ModuleType("tensorrt_rtx"),
    version="1.7.1",
    builds_without_card=True,
    capabilities=("8.6", "8.9"),
)


def by_name(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def compiles(_arguments: Sequence[str], _time_limit_s: float) -> Probed:
    return Probed(output="compiled\n", fault="")


def hangs(_arguments: Sequence[str], time_limit_s: float) -> Probed:
    return Probed(output="", fault=f"no answer within {time_limit_s:g} s")


@pytest.fixture(scope="module")
def found() -> dict[str, Finding]:
    return by_name(examine())


def test_everything_that_the_tests_rely_on_is_found(found: dict[str, Finding]) -> None:
    for name in ("python", "packages", "cpu kernels", "onnxruntime", "face models", "default checkpoint"):
        assert found[name].state == "ok", found[name]
    assert "provider CPU" in found["onnxruntime"].detail
    assert "NumPy 1." in found["packages"].detail
    assert {"cuda driver", "card", "cuda kernels", "flow engine", "tensorrt", "training"} <= set(found)


def test_whatever_is_not_ok_says_what_to_do_in_one_line(found: dict[str, Finding]) -> None:
    for finding in found.values():
        assert finding.detail
        assert "\n" not in finding.detail + finding.remedy
        assert finding.state == "ok" or finding.remedy, finding


def test_findings_are_json_and_a_table() -> None:
    findings = examine_engines()
    assert [finding.name for finding in findings] == ["onnxruntime", "cuda driver", "tensorrt"]
    record = json.loads(json.dumps([finding.as_record() for finding in findings]))[0]
    assert set(record) == {"name", "state", "detail", "remedy", "required"}
    rows = table([Finding(name="x", state="missing", detail="d", remedy="r", required=False)])
    assert rows == [("x", "missing (optional)", "d", "r")]


def test_a_look_that_fails_is_a_finding() -> None:
    def broken() -> list[Finding]:
        raise OSError("the floor gave way\nsecond line")

    (finding,) = guarded("floor", broken, required=False)
    assert (finding.name, finding.state, finding.detail) == ("floor", "unusable", "the floor gave way")
    assert not finding.required


@pytest.mark.parametrize(
    ("card", "state", "said", "remedy"),
    [
        (NO_DRIVER, "missing", "no NVIDIA driver", "install NVIDIA's driver"),
        (NO_CARD, "unusable", "sees no card", "check that it is visible"),
        (OLD_DRIVER, "unusable", "serves CUDA up to 12.4, too old for CUDA 13.0", "driver to 580 or newer"),
        (CARD, "ok", "581.2, serves CUDA up to 13.0", ""),
    ],
)
def test_driver(card: GraphicsCard | NoCard, state: str, said: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / "version").write_text("581.2\n")
    finding = graphics.driver(card, tmp_path / "version")
    assert finding.state == state
    assert said in finding.detail
    assert remedy in finding.remedy
    assert not finding.required


def test_card_is_named_with_its_capability_and_memory() -> None:
    told = graphics.graphics_card(CARD)
    assert (told.state, told.detail) == (
        "ok",
        "Card of the tests, compute capability 8.9, 8 GiB, 10 multiprocessors",
    )
    old = graphics.graphics_card(OLD_CARD)
    assert old.state == "unusable"
    assert "7.5 or newer" in old.remedy
    assert graphics.graphics_card(NO_CARD).state == "missing"


@pytest.mark.parametrize(
    ("card", "version", "state", "said"),
    [
        (CARD, "0.30.4", "ok", "numba-cuda 0.30.4 compiles for compute capability 8.9"),
        (CARD, "", "missing", "numba-cuda is not installed"),
        (NO_DRIVER, "0.30.4", "unusable", "compiles, but nothing runs them: no NVIDIA driver"),
        (OLD_DRIVER, "0.30.4", "unusable", "too old for CUDA 13.0"),
    ],
)
def test_kernels_for_the_card(card: GraphicsCard | NoCard, version: str, state: str, said: str) -> None:
    finding = graphics.kernels(card, ask=compiles, version=version)
    assert finding.state == state
    assert said in finding.detail
    assert version or "onset-live[cuda]" in finding.remedy


def test_kernels_that_do_not_compile_name_what_may_be_missing() -> None:
    finding = graphics.kernels(CARD, ask=hangs, version="0.30.4")
    assert finding.state == "unusable"
    assert "no answer within 30 s" in finding.detail
    assert "NVVM" in finding.remedy


def test_kernels_really_compile_in_a_process_of_their_own() -> None:
    pytest.importorskip("numba_cuda", reason="the cuda extra is not installed")
    assert "numba-cuda" in graphics.kernels(NO_DRIVER).detail
    assert "compiles, but nothing runs them" in graphics.kernels(NO_DRIVER).detail


def test_flow_engine_is_the_one_that_auto_takes() -> None:
    chosen = graphics.flow_engine()
    assert chosen.state == "ok", chosen
    assert chosen.detail.startswith(("cpu", "cuda"))
    assert graphics.flow_engine(ask=hangs).state == "unusable"


@pytest.mark.parametrize(
    ("card", "flavours", "state", "said", "remedy"),
    [
        (CARD, [RTX], "ok", "TensorRT for RTX 1.7.1", ""),
        (CARD, [], "missing", "not installed", "onset-live[tensorrt]"),
        (NO_DRIVER, [RTX], "unusable", "can build engines here, but not run them: no NVIDIA driver", "install NVIDIA"),
        (NO_DRIVER, [], "missing", "not installed", "use onnxruntime"),
        (OLD_DRIVER, [RTX], "unusable", "too old for CUDA 13.0", "580 or newer"),
        (DATACENTER_CARD, [RTX], "unusable", "does not serve compute capability 9.0", "tensorrt-datacenter"),
    ],
)
def test_tensorrt(card: GraphicsCard | NoCard, flavours: list[Flavour], state: str, said: str, remedy: str) -> None:
    finding = by_name(examine_engines(card=lambda: card, flavours=lambda: flavours))["tensorrt"]
    assert finding.state == state
    assert said in finding.detail
    assert remedy in finding.remedy


def test_a_flavour_that_does_not_load_is_told() -> None:
    finding = inference.tensorrt(CARD, [], ["TensorRT for RTX is installed but does not load: no libnvinfer"])
    assert (finding.state, "no libnvinfer" in finding.detail) == ("unusable", True)


def test_onnxruntime_that_is_missing_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # what a failed import leaves
    assert inference.onnxruntime().state == "missing"
    without_cpu = ModuleType("onnxruntime")
    without_cpu.get_available_providers = lambda: ["CUDAExecutionProvider"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", without_cpu)
    assert "no CPU provider" in inference.onnxruntime().detail


def test_packages_and_python_that_do_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "PACKAGES", (("NumPy", "numpy"), ("Phlogiston", "phlogiston-of-the-tests")))
    assert (ground.packages().state, ground.packages().detail) == ("missing", "not installed: Phlogiston")
    monkeypatch.setattr(ground, "PYTHON_RANGE", ((2, 6), (2, 8)))
    assert ground.python().state == "unusable"


def test_cpu_kernels_are_counted_on_disk() -> None:
    """In a process that keeps its kernels elsewhere, none is there before the first call and all are after it."""
    count = "from engines.doctor.ground import cpu_kernels; print(cpu_kernels(['{}']).detail)"
    empty = count.format("engines.flow")
    code = f"import os, tempfile\nos.environ['NUMBA_CACHE_DIR'] = tempfile.mkdtemp()\n{empty}"
    before = probe(["-c", code], 60.0)
    assert not before.fault
    kernels = before.output.split(" of ")[1].split()[0]
    assert before.output.startswith(f"{kernels} of {kernels} to compile at first start")
    after = probe(["-c", f"from engines.flow import compile_kernels; compile_kernels()\n{empty}"], 200.0)
    assert after.output.startswith(f"{kernels} compiled and kept on disk"), after


def test_the_default_checkpoint_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def default() -> Finding:
        return next(look_at("default", lambda: NO_DRIVER, list, runs_engines=False))

    monkeypatch.setattr(checkpoint_module, "SHIPPED_FOLDER", tmp_path)
    assert (default().name, default().state) == ("default checkpoint", "unusable")
    checkpoint = stand_in_checkpoint(tmp_path / "default")
    assert default().state == "ok"
    checkpoint.model_path.write_bytes(b"altered")
    assert default().state == "unusable"
    assert "differs" in default().detail


def stored_engine(folder: Path, capabilities: tuple[str, ...]) -> Path:
    """A checkpoint with one engine for some cards beside it; what is in the engine does not matter to the doctor."""
    checkpoint = stand_in_checkpoint(folder)
    key = EngineKey(
        model_sha256=checkpoint.card.files["model.onnx"],
        flavour="rtx",
        version="1.7.1",
        capabilities=capabilities,
        precision="fp32",
        profile=(1, 2, 256),
    )
    content = b"an engine"
    manifest = EngineManifest(
        key=key,
        engine_sha256=hashlib.sha256(content).hexdigest(),
        engine_bytes=len(content),
        build_seconds=1.0,
        input_name="x",
        input_shape=(3, 28, 28),
        output_name="logits",
        output_count=3,
        created="2026-01-01T00:00:00+00:00",
        onset_version="0",
    )
    return write_engine(checkpoint, content, manifest).path


def test_engines_that_fit_and_those_that_do_not(tmp_path: Path) -> None:
    def findings(card: GraphicsCard | NoCard) -> list[Finding]:
        return list(look_at(tmp_path / "mine", lambda: card, lambda: [RTX], runs_engines=card == CARD))

    engine = stored_engine(tmp_path / "mine", ("8.9",))
    assert [(finding.name, finding.state) for finding in findings(CARD)] == [
        ("checkpoint mine", "ok"),
        ("engine of mine", "ok"),
    ]
    assert "no NVIDIA driver" in findings(NO_DRIVER)[1].detail
    other = replace(CARD, compute_capability=(8, 6))
    assert "was built for compute capability 8.9" in findings(other)[1].detail
    engine.write_bytes(b"something else")
    damaged = findings(CARD)[1]
    assert (damaged.state, "differs from the SHA-256 sum" in damaged.detail) == ("unusable", True)
    assert "onset build" in damaged.remedy
    engine.with_suffix(".json").write_text("{")
    unreadable = findings(CARD)
    assert unreadable[1].state == "unusable"
    assert unreadable[2].state == "missing"


def test_where_tensorrt_runs_a_missing_engine_is_told_with_its_command(tmp_path: Path) -> None:
    stand_in_checkpoint(tmp_path / "bare")
    last = list(look_at(tmp_path / "bare", lambda: CARD, lambda: [RTX], runs_engines=True))[-1]
    assert (last.name, last.state) == ("engines of bare", "missing")
    assert last.remedy == f"run: onset build {tmp_path / 'bare'}"
    assert len(list(look_at(tmp_path / "bare", lambda: CARD, lambda: [RTX], runs_engines=False))) == 1


def test_everything_fine_leaves_nothing_to_do(tmp_path: Path) -> None:
    stored_engine(tmp_path / "mine", ("8.9",))
    findings = by_name(examine([tmp_path / "mine"], card=lambda: CARD, flavours=lambda: [RTX]))
    for name in ("cuda driver", "card", "tensorrt", "checkpoint mine", "engine of mine"):
        assert (findings[name].state, findings[name].remedy) == ("ok", ""), findings[name]


def test_further_checkpoints_are_looked_at(tmp_path: Path) -> None:
    findings = by_name(examine([tmp_path / "nowhere"]))
    named = findings["checkpoint nowhere"]
    assert (named.state, named.required) == ("unusable", False)
    assert load_checkpoint().card.model in findings["default checkpoint"].detail
