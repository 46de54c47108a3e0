"""The engine benchmark: real builds without a card, and a stand-in for the card's session."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from demo.benchmarks import engines
from demo.benchmarks.model_work import model_steps, model_work
from demo.benchmarks.tensorrt_trial import copied, opened_in_tensorrt
from engines.checkpoint import Checkpoint, load_checkpoint
from engines.errors import BackendUnavailable, BadInput
from engines.graphics_card import GraphicsCard, NoCard, find_card
from engines.sessions.onnxruntime import OnnxRuntimeSession
from engines.tensorrt.build import BuiltEngine
from engines.tensorrt.flavour import Flavour, installed_flavours
from engines.tensorrt.key import EngineKey
from engines.tensorrt.manifest import EngineManifest
from engines.tensorrt.store import StoredEngine
from tests.demo.stand_in_card import CARD, NO_CARD
from tests.engines.stand_in_checkpoint import channel_mean_model, stand_in_checkpoint
from tests.parity.tolerances import TOLERANCES

RTX = pytest.mark.skipif(
    not any(flavour.builds_without_card for flavour in installed_flavours()),
    reason="TensorRT for RTX comes with the [tensorrt] extra",
)


def failing(_checkpoint: Checkpoint, precision: str, _graphs: bool) -> Any:
    raise BackendUnavailable(f"the card refuses {precision}; try another")


@RTX
def test_real_builds_are_measured_and_a_session_that_fails_is_told() -> None:
    result = json.loads(json.dumps(engines.run(quick=True, card=lambda: CARD, opener=failing)))
    assert {(build["precision"], *build["capabilities"]) for build in result["builds"]} >= {
        ("fp32", "8.9"),
        ("fp16", "8.9"),
    }
    for build in result["builds"]:
        assert build["seconds"] > 0
        assert build["bytes"] > 1000
    assert result["running"] == []
    table = engines.render(result)
    assert "TensorRT for RTX" in table
    assert "not measured: fp16 on the card: the card refuses fp16; try another" in table


def test_without_card_and_tensorrt_the_bench_says_what_is_missing() -> None:
    result = engines.run(quick=True, card=lambda: NO_CARD, flavours=list)
    assert result["builds"] == []
    table = engines.render(result)
    assert "pip install 'onset-live[tensorrt]'" in table
    assert "not measured: latency, throughput and agreement of engines: no card here; none needed" in table


class OnHost(OnnxRuntimeSession):
    """A session that says it runs on the card; half a thousandth off in its logits."""

    def run(self, tensor: np.ndarray) -> np.ndarray:
        logits: np.ndarray = super().run(tensor)
        logits += np.float32(0.0005) * np.arange(logits.shape[1], dtype=np.float32)
        return logits

    def run_on_card(self, tensor: Any) -> np.ndarray:
        return self.run(tensor.copy_to_host())


def test_a_card_gets_latency_throughput_agreement_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba_cuda", reason="numba-cuda comes with the [cuda] extra")
    if isinstance(find_card(), GraphicsCard):
        pytest.skip("the stand-in needs Numba's simulator; with a card the bench itself is the test")
    monkeypatch.setattr(engines, "BATCH", 8)
    asked = []

    def opener(checkpoint: Checkpoint, precision: str, graphs: bool) -> OnHost:
        asked.append((precision, graphs))
        return OnHost(checkpoint)

    result = json.loads(json.dumps(engines.run(quick=True, card=lambda: CARD, flavours=list, opener=opener)))
    assert asked == [("fp32", True), ("fp32", False), ("fp16", True), ("fp16", False)]
    single, half = result["running"]
    for one in (single, half):
        assert 0 < one["largest_difference"] < 1e-3
        assert all(0 < value["p50_ms"] <= value["p95_ms"] for value in one["latency"].values())
        assert one["limits"]["operations"] == 8 * result["work"]["operations"]
    assert half["limits"]["bytes"] == single["limits"]["bytes"] / 2
    table = engines.render(result)
    assert "8 maps × 20,047,296 operations" in table
    assert "tensor cores" in table


@pytest.mark.gpu
def test_engines_run_and_agree_on_the_card(capsys: pytest.CaptureFixture[str]) -> None:
    result = engines.run(quick=True)
    assert [one["precision"] for one in result["running"]] == ["fp32", "fp16"], result["not_measured"]
    single, half = result["running"]
    assert single["largest_difference"] < TOLERANCES["fp32 card"].probability
    assert half["largest_difference"] < TOLERANCES["fp16 card"].probability
    with capsys.disabled():
        print("\n" + engines.render(result))


def test_work_of_a_graph_is_counted_by_hand(tmp_path: Path) -> None:
    checkpoint = stand_in_checkpoint(tmp_path / "tiny", channel_mean_model(np.eye(3)))
    work = model_work(checkpoint.model_path)
    # One product of a row of three with a 3 × 3 matrix; the ramp of 28 columns is a constant as well.
    assert work.by_operator == {"Conv": 0, "Gemm": 0, "MatMul": 2 * 3 * 3}
    assert work.weight_bytes == 4 * (9 + 28)
    assert work.activation_bytes == 4 * (3 + 3)
    half = model_steps(work, 10, value_bytes=2)
    assert sum(step.all_operations for step in half) == 180
    assert sum(step.all_bytes for step in half) == 2 * (10 * 6 + 9 + 28)


def test_convolutions_are_counted_by_hand(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx comes with the [train] extra")
    helper, tensor = onnx.helper, onnx.TensorProto.FLOAT
    weights = onnx.numpy_helper.from_array(np.ones((4, 1, 3, 3), np.float32), "w")
    matrix = onnx.numpy_helper.from_array(np.ones((5, 4 * 6 * 6), np.float32), "m")
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["y"], group=2, kernel_shape=[3, 3]),
            helper.make_node("Flatten", ["y"], ["flat"]),
            helper.make_node("Gemm", ["flat", "m"], ["logits"], transB=1),
        ],
        "by_hand",
        [helper.make_tensor_value_info("x", tensor, ["N", 2, 8, 8])],
        [helper.make_tensor_value_info("logits", tensor, ["N", 5])],
        [weights, matrix],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    work = model_work(path)
    assert work.by_operator == {"Conv": 2 * 4 * 36 * 9, "Gemm": 2 * 5 * 144, "MatMul": 0}


def test_a_copy_leaves_engines_behind(tmp_path: Path) -> None:
    copy = copied(load_checkpoint(), tmp_path / "copy")
    assert copy.card == load_checkpoint().card
    assert sorted(path.name for path in copy.folder.iterdir()) == ["card.json", "model.onnx", "weights.safetensors"]


def test_without_a_card_a_trial_says_why(tmp_path: Path) -> None:
    if not isinstance(find_card(), NoCard):
        pytest.skip("there is a card")
    session, reason = opened_in_tensorrt(load_checkpoint(), tmp_path / "copy")
    assert session is None
    assert "tensorrt cannot run here" in reason
    assert not list(tmp_path.iterdir())


def test_a_card_that_refuses_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: Any, capabilities: tuple[str, ...], **__: Any) -> BuiltEngine:
        if "7.5" in capabilities:
            raise BadInput("no products on 7.5; leave it out")
        return built_for(capabilities)

    monkeypatch.setattr(engines, "build_engine", refusing)
    flavour = Flavour(
        name="rtx", module=ModuleType("stand_in"), version="1", builds_without_card=True, capabilities=("7.5", "8.9")
    )
    result = engines.run(card=lambda: NO_CARD, flavours=lambda: [flavour])
    assert [build["capabilities"] for build in result["builds"]] == [["8.9"], ["8.9"]]
    assert "fp32 for 7.5, 8.9: no products on 7.5; leave it out" in result["not_measured"]
    assert "fp32 for 7.5: no products on 7.5; leave it out" in result["not_measured"]


def built_for(capabilities: tuple[str, ...]) -> BuiltEngine:
    key = EngineKey(
        model_sha256="0" * 64,
        flavour="rtx",
        version="1",
        capabilities=capabilities,
        precision="fp32",
        profile=(1, 2, 256),
    )
    manifest = EngineManifest(
        key=key,
        engine_sha256="0" * 64,
        engine_bytes=1000,
        build_seconds=1.5,
        input_name="maps",
        input_shape=(3, 28, 28),
        output_name="logits",
        output_count=3,
        created="2026-11-20T00:00:00+00:00",
        onset_version="0",
    )
    return BuiltEngine(stored=StoredEngine(path=Path("stand-in.engine"), manifest=manifest), kept=False)


def test_an_installation_without_extras_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "onnx" else found(name, *rest))
    result = engines.run(card=lambda: NO_CARD, flavours=list)
    assert result["work"] is None
    assert len(result["not_measured"]) == 2
    assert "pip install 'onset-live[tensorrt]'" in engines.render(result)
