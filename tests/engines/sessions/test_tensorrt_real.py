"""TensorRT itself: what it says without a card, and on one, that it agrees with ONNX Runtime."""

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.card_memory import CardFault, NumbaCardMemory, card_address, stream_handle
from engines.checkpoint import Checkpoint, load_checkpoint
from engines.errors import BackendUnavailable
from engines.graphics_card import GraphicsCard, find_card
from engines.sessions import open_session
from engines.sessions.tensorrt import TensorRtSession
from engines.tensorrt.build import build_engine
from engines.tensorrt.flavour import Flavour, installed_flavours
from engines.tensorrt.runtime import LoadedEngine
from engines.tensorrt.store import read_engine
from tests.engines.sessions.stand_in_tensorrt import CARD
from tests.parity.tolerances import TOLERANCES, assert_outputs_agree

SAME = TOLERANCES["fp32 card"]
"""The same engine twice: a card may add in another order each time."""


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    """The shipped checkpoint where it can be written to, without engines."""
    folder = tmp_path / "default"
    shutil.copytree(load_checkpoint().folder, folder, ignore=shutil.ignore_patterns("engines"))
    return load_checkpoint(folder)


def flavour() -> Flavour:
    found = installed_flavours()
    if not found:
        pytest.skip("TensorRT is not installed")
    return found[0]


def test_bytes_that_are_no_engine_are_refused_in_one_line() -> None:
    with pytest.raises(CardFault, match="TensorRT does not load the engine: ") as fault:
        LoadedEngine(flavour(), b"no engine" * 1000)
    assert "\n" not in str(fault.value)
    assert len(str(fault.value)) < 320


@pytest.mark.skipif(isinstance(find_card(), GraphicsCard), reason="this machine has a card")
def test_an_engine_without_its_card_is_refused_in_one_line(checkpoint: Checkpoint) -> None:
    if not flavour().builds_without_card:
        pytest.skip(f"{flavour().title} builds nothing without a card")
    built = build_engine(checkpoint, capabilities=(CARD.capability,), flavour=flavour())
    with pytest.raises(CardFault, match="TensorRT does not load the engine: "):
        LoadedEngine(flavour(), read_engine(built.stored))
    # A machine that believes it has the card gets as far as numba-cuda and TensorRT, and then one line.
    with pytest.raises(BackendUnavailable, match="backend tensorrt cannot be opened with checkpoint") as fault:
        TensorRtSession(checkpoint, card=lambda: CARD)
    assert "\n" not in str(fault.value)


def batch(checkpoint: Checkpoint, count: int) -> np.ndarray:
    shape = (count, *checkpoint.card.input_shape)
    return np.random.default_rng(count).normal(size=shape).astype(np.float32)


@pytest.fixture(params=["fp32", "fp16"])
def session(request: pytest.FixtureRequest, checkpoint: Checkpoint) -> Any:
    build_engine(checkpoint, precision=request.param)
    with TensorRtSession(checkpoint, precision=request.param) as opened:
        yield opened


@pytest.mark.gpu
@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_it_agrees_with_onnxruntime_however_it_runs(
    session: TensorRtSession, checkpoint: Checkpoint, count: int
) -> None:
    tolerance = TOLERANCES["fp16 card" if ", fp16, " in session.describe() else "fp32 card"]
    x = batch(checkpoint, count)
    with open_session(checkpoint, backend="onnxruntime") as reference:
        expected = reference.run(x)
    for _ in range(3):  # plain, while a graph is recorded, from the graph
        assert_outputs_agree(session.run(x), expected, tolerance)


@pytest.mark.gpu
@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_the_card_gives_what_the_host_gets(session: TensorRtSession, checkpoint: Checkpoint, count: int) -> None:
    from numba import cuda

    x = batch(checkpoint, count)
    expected = session.run(x)
    assert_outputs_agree(session.run_on_card(cuda.to_device(x)).copy_to_host(), expected, SAME)
    stream = cuda.stream()
    given = session.run_on_card(cuda.to_device(x, stream=stream), stream=stream)
    assert_outputs_agree(given.copy_to_host(stream=stream), expected, SAME)


@pytest.mark.gpu
def test_graphs_change_nothing(checkpoint: Checkpoint) -> None:
    build_engine(checkpoint)
    x = batch(checkpoint, 2)
    with TensorRtSession(checkpoint, graphs=False) as plain, TensorRtSession(checkpoint) as recorded:
        assert_outputs_agree(recorded.run(x), plain.run(x), TOLERANCES["fp32 card"])


@pytest.mark.gpu
def test_another_thread_may_run_it(session: TensorRtSession, checkpoint: Checkpoint) -> None:
    x, given = batch(checkpoint, 2), []
    thread = threading.Thread(target=lambda: given.append(session.run(x)), name="onset-test")
    thread.start()
    thread.join()
    assert_outputs_agree(given[0], session.run(x), SAME)


@pytest.mark.gpu
def test_a_second_start_gives_the_same(checkpoint: Checkpoint) -> None:
    build_engine(checkpoint)
    x = batch(checkpoint, 2)
    with TensorRtSession(checkpoint) as first:
        expected = first.run(x)
    with TensorRtSession(checkpoint) as second:
        assert_outputs_agree(second.run(x), expected, TOLERANCES["fp32 card"])


@pytest.mark.gpu
def test_auto_takes_it(checkpoint: Checkpoint) -> None:
    build_engine(checkpoint)
    with open_session(checkpoint) as session:
        assert session.backend == "tensorrt", session.choice


@pytest.mark.gpu
def test_an_input_may_lie_anywhere_on_the_card(session: TensorRtSession, checkpoint: Checkpoint) -> None:
    """The second of three inputs starts at an address that TensorRT itself would not take."""
    from numba import cuda

    x = batch(checkpoint, 3)
    expected = session.run(x[1:2])
    given = session.run_on_card(cuda.to_device(x)[1:2]).copy_to_host()
    assert_outputs_agree(given, expected, SAME)
    memory = NumbaCardMemory()
    memory.attach()
    assert card_address(memory.array((1,))) % 256 == 0
    assert stream_handle(memory.new_stream()) > 0
