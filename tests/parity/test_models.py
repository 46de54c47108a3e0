"""PyTorch, ONNX Runtime and TensorRT give the same for every model, within the table."""

from pathlib import Path

import numpy as np
import pytest

from engines.sessions import open_session
from tests.parity import networks
from tests.parity.tolerances import TOLERANCES, Tolerance, assert_outputs_agree

BATCHES = (1, 2, 7)
CARD_BATCHES = (*BATCHES, 256)


@pytest.mark.parametrize("name", networks.NAMES)
def test_onnx_runtime_gives_what_pytorch_gives(name: str) -> None:
    exported = networks.from_graph(networks.graph(name))
    for count in BATCHES:
        batch = networks.maps(name, count)
        assert_outputs_agree(exported(batch), networks.from_pytorch(name, batch), TOLERANCES["fp32 cpu"])


@pytest.mark.parametrize("name", networks.NAMES)
def test_the_half_precision_graph_gives_what_the_full_one_gives(name: str) -> None:
    """The graph that fp16 engines are built from; what the card adds to its rounding is for the `gpu` tests."""
    from engines.tensorrt.precision import half_precision

    half = networks.from_graph(half_precision(networks.graph(name)))
    full = networks.from_graph(networks.graph(name))
    for count in BATCHES:
        batch = networks.maps(name, count)
        given, oracle = half(batch), full(batch)
        assert_outputs_agree(given, oracle, TOLERANCES["fp16 card"])
        assert np.abs(given - oracle).max() > 0, "it is another precision"


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", networks.NAMES)
def test_tensorrt_gives_what_onnx_runtime_gives(name: str, precision: str, tmp_path: Path) -> None:
    from engines.sessions.tensorrt import TensorRtSession
    from engines.tensorrt.build import build_engine
    from engines.tensorrt.flavour import installed_flavours
    from engines.tensorrt.key import checked_precision

    if not installed_flavours():
        pytest.skip("TensorRT is not installed")
    checkpoint = networks.checkpoint(name, tmp_path / name)
    build_engine(checkpoint, precision=precision)
    with (
        open_session(checkpoint, backend="onnxruntime") as oracle,
        TensorRtSession(checkpoint, precision=checked_precision(precision)) as session,
    ):
        for count in CARD_BATCHES:
            batch = networks.maps(name, count)
            wanted = oracle.run(batch)
            for _ in range(3):  # plain, while a CUDA graph is recorded, from the graph
                assert_outputs_agree(session.run(batch), wanted, TOLERANCES[f"{precision} card"])


def test_a_difference_beyond_the_table_is_seen() -> None:
    """The comparison itself: a class that is off, logits that are all off by one share, and a shape that is not."""
    wanted = np.array([[1.0, -2.0, 0.5]], np.float32)
    tight, loose = TOLERANCES["fp32 cpu"], Tolerance(flow_px=1, fixed_flow_px=1, probability=1e-3, logit=1.0)
    assert_outputs_agree(wanted + np.float32(1e-6), wanted, tight)
    with pytest.raises(AssertionError, match="logits differ"):
        assert_outputs_agree(wanted * np.float32(1.001), wanted, tight)
    with pytest.raises(AssertionError, match="probabilities differ"):
        assert_outputs_agree(wanted * np.float32(1.1), wanted, loose)
    with pytest.raises(AssertionError):
        assert_outputs_agree(np.full_like(wanted, np.nan), wanted, loose)
    with pytest.raises(AssertionError):
        assert_outputs_agree(wanted[:, :2], wanted, loose)
