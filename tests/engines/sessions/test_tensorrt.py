"""The TensorRT session's own logic, over a stand-in for TensorRT and for the card."""

import logging
import threading
from pathlib import Path

import numpy as np
import pytest

from engines.checkpoint import Checkpoint
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.graphics_card import NoCard
from engines.sessions.tensorrt import TensorRtSession
from engines.tensorrt.flavour import FlavourName
from engines.tensorrt.kernel_file import KERNELS_SUFFIX
from engines.tensorrt.key import Precision
from tests.engines.sessions.stand_in_card import StandInArray, StandInCard
from tests.engines.sessions.stand_in_tensorrt import (
    CARD,
    StandInTensorRt,
    Strategy,
    engine_content,
    store_engine,
)
from tests.engines.stand_in_checkpoint import channel_mean_model, stand_in_checkpoint

MATRIX = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0], [-2.0, 1.0, 0.25]])


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return stand_in_checkpoint(tmp_path / "model", channel_mean_model(MATRIX))


class Bench:
    """A checkpoint with an engine, and the stand-ins that run it."""

    def __init__(self, checkpoint: Checkpoint, flavour: FlavourName = "datacenter", *, records: bool = True) -> None:
        self.checkpoint = checkpoint
        self.card = StandInCard(records=records)
        self.trt = StandInTensorRt(self.card, flavour)

    def open(self, *, graphs: bool = True, precision: Precision | None = None) -> TensorRtSession:
        return TensorRtSession(
            self.checkpoint,
            precision=precision,
            graphs=graphs,
            card=lambda: CARD,
            flavours=[self.trt.flavour],
            memory=lambda: self.card,
        )


@pytest.fixture
def datacenter(checkpoint: Checkpoint) -> Bench:
    store_engine(checkpoint, flavour="datacenter")
    return Bench(checkpoint)


@pytest.fixture
def rtx(checkpoint: Checkpoint) -> Bench:
    store_engine(checkpoint)
    return Bench(checkpoint, "rtx")


def batch(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, 3, 28, 28)).astype(np.float32)


def expected(x: np.ndarray) -> np.ndarray:
    logits: np.ndarray = x.mean(axis=(2, 3)) @ MATRIX
    return logits


def assert_classified(session: TensorRtSession, count: int) -> None:
    x = batch(count)
    np.testing.assert_allclose(session.run(x), expected(x), rtol=1e-4, atol=1e-5)


def test_closing_waits_for_a_run_in_another_thread(rtx: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = rtx.open()
    entered, may_end, plain = threading.Event(), threading.Event(), session._execution.run

    def slow(tensor: np.ndarray) -> np.ndarray:
        entered.set()
        assert may_end.wait(10)
        return plain(tensor)

    monkeypatch.setattr(session._execution, "run", slow)
    results: list[np.ndarray] = []
    running = threading.Thread(target=lambda: results.append(session.run(batch(1))))
    closing = threading.Thread(target=session.close)
    running.start()
    assert entered.wait(10)
    closing.start()
    closing.join(0.2)
    assert closing.is_alive()
    may_end.set()
    running.join(10)
    closing.join(10)
    np.testing.assert_allclose(results[0], expected(batch(1)), rtol=1e-4, atol=1e-5)


def test_a_long_batch_goes_through_in_parts(rtx: Bench) -> None:
    with rtx.open() as session:
        rtx.trt.enqueued.clear()
        assert_classified(session, 11)
        assert rtx.trt.enqueued == [4, 4, 3]


def test_an_engine_for_single_inputs_takes_any_batch(checkpoint: Checkpoint) -> None:
    store_engine(checkpoint, largest=1)
    with Bench(checkpoint, "rtx").open() as session:
        assert_classified(session, 5)


@pytest.mark.parametrize("count", [1, 2])
def test_a_live_batch_is_recorded_once_and_started_after(datacenter: Bench, count: int) -> None:
    with datacenter.open() as session:
        assert "CUDA graphs recorded by Onset" in session.describe()
        assert_classified(session, count)
        datacenter.trt.enqueued.clear()
        for _ in range(3):
            assert_classified(session, count)
        assert datacenter.trt.enqueued == []


def test_another_batch_voids_the_graph_since_it_changes_the_context(datacenter: Bench) -> None:
    with datacenter.open() as session:
        for count in (1, 2, 3, 1):
            assert_classified(session, count)
            assert sum(not graph.closed for graph in datacenter.card.graphs) == (count in (1, 2))


def test_longer_buffers_bring_new_graphs(datacenter: Bench) -> None:
    with datacenter.open() as session:
        assert_classified(session, 4)
        assert all(graph.closed for graph in datacenter.card.graphs)
        for count in (2, 4, 1, 3, 2):
            assert_classified(session, count)
    assert all(graph.closed for graph in datacenter.card.graphs)


def test_a_card_that_records_nothing_still_runs(checkpoint: Checkpoint) -> None:
    store_engine(checkpoint, flavour="datacenter")
    with Bench(checkpoint, records=False).open() as session:
        assert_classified(session, 2)
        assert "no CUDA graphs" in session.describe()


def test_graphs_can_be_left_out(datacenter: Bench) -> None:
    with datacenter.open(graphs=False) as session:
        assert_classified(session, 2)
        assert datacenter.card.graphs == []


def test_the_rtx_runtime_records_graphs_itself(rtx: Bench) -> None:
    with rtx.open() as session:
        assert rtx.trt.strategies == [Strategy.WHOLE_GRAPH_CAPTURE]
        assert rtx.card.graphs == []
        assert "CUDA graphs recorded by the runtime" in session.describe()
    with rtx.open(graphs=False) as session:
        assert rtx.trt.strategies[-1] == Strategy.DISABLED
        assert "no CUDA graphs" in session.describe()


def test_live_use_compiles_nothing_after_opening(rtx: Bench) -> None:
    with rtx.open() as session:
        compiled = list(rtx.trt.compiled)
        assert compiled == [1, 2]
        assert_classified(session, 1)
        assert_classified(session, 2)
        assert rtx.trt.compiled == compiled


def kernel_files(checkpoint: Checkpoint) -> list[Path]:
    return sorted((checkpoint.folder / "engines").glob(f"*{KERNELS_SUFFIX}"))


def test_the_second_start_compiles_nothing(rtx: Bench) -> None:
    with rtx.open() as session:
        assert [path.name.split(".")[1] for path in kernel_files(rtx.checkpoint)] == ["stand-in-rtx-9-test"]
        assert_classified(session, 4)
    rtx.trt.compiled.clear()
    with rtx.open() as session:
        assert_classified(session, 4)
    assert rtx.trt.compiled == []


def test_torn_kernels_are_passed_over(rtx: Bench) -> None:
    rtx.open().close()
    (kept,) = kernel_files(rtx.checkpoint)
    kept.write_bytes(kept.read_bytes()[:-1])
    rtx.trt.compiled.clear()
    with rtx.open() as session:
        assert_classified(session, 1)
    assert rtx.trt.compiled == [1, 2]


def test_kernels_of_another_engine_are_passed_over(rtx: Bench) -> None:
    rtx.open().close()
    (kept,) = kernel_files(rtx.checkpoint)
    changed = engine_content(rtx.checkpoint.model_path.read_bytes(), largest=4, built="again")
    store_engine(rtx.checkpoint, changed)
    assert kernel_files(rtx.checkpoint) == [kept]
    rtx.trt.compiled.clear()
    rtx.open().close()
    assert rtx.trt.compiled == [1, 2]


def test_kernels_that_cannot_be_kept_do_not_matter(rtx: Bench, caplog: pytest.LogCaptureFixture) -> None:
    rtx.open().close()
    (kept,) = kernel_files(rtx.checkpoint)
    kept.unlink()
    kept.mkdir()  # stands in for a folder that cannot be written to, which root always can
    with caplog.at_level(logging.INFO), rtx.open() as session:
        assert_classified(session, 2)
    assert "compiled kernels are not kept" in caplog.text


def assert_lies_on_card(card: StandInCard, given: StandInArray, x: np.ndarray) -> None:
    assert given.shape == (len(x), 3)
    result = card.read(given.__cuda_array_interface__["data"][0], 3 * len(x)).reshape(len(x), 3)
    np.testing.assert_allclose(result, expected(x), rtol=1e-4, atol=1e-5)


def test_a_batch_on_the_card_stays_there(datacenter: Bench) -> None:
    with datacenter.open() as session:
        for step, count in enumerate((2, 4, 2, 1)):
            x = batch(count) + step
            assert_lies_on_card(datacenter.card, session.run_on_card(datacenter.card.holding(x)), x)


def test_a_long_batch_on_the_card_goes_through_in_parts(rtx: Bench) -> None:
    with rtx.open() as session:
        for count in (9, 5, 14):
            assert_lies_on_card(rtx.card, session.run_on_card(rtx.card.holding(batch(count))), batch(count))


@pytest.mark.parametrize("count", [2, 9])
def test_a_stream_of_the_caller_is_not_waited_for(datacenter: Bench, count: int) -> None:
    with datacenter.open() as session:
        stream, x = datacenter.card.new_stream(), datacenter.card.holding(batch(count))
        given = session.run_on_card(x, stream=stream)
        assert stream.jobs
        datacenter.card.wait(stream.number)
        assert_lies_on_card(datacenter.card, given, batch(count))


def test_streams_do_not_overtake_each_other(datacenter: Bench) -> None:
    with datacenter.open() as session:
        first, second = datacenter.card.new_stream(), datacenter.card.new_stream()
        x, long = datacenter.card.holding(batch(2)), datacenter.card.holding(batch(4))
        session.run_on_card(x, stream=first)
        assert_classified(session, 2)
        assert not first.jobs, "a run of the host took the buffers from work that was still queued"
        session.run_on_card(x, stream=first)
        session.run_on_card(x, stream=second.number)
        assert not first.jobs
        session.run_on_card(long, stream=first)
        assert not second.jobs


def test_buffers_that_grow_leave_queued_work_its_own(datacenter: Bench) -> None:
    with datacenter.open() as session:
        stream = datacenter.card.new_stream()
        short, long = datacenter.card.holding(batch(2)), datacenter.card.holding(batch(4))
        session.run_on_card(short, stream=stream)
        given = session.run_on_card(long, stream=stream)
        datacenter.card.wait(stream.number)
        assert_lies_on_card(datacenter.card, given, batch(4))


def test_recording_waits_until_the_engine_is_idle(datacenter: Bench) -> None:
    with datacenter.open() as session:
        session.run(batch(3))  # longer buffers: graphs are recorded anew
        stream = datacenter.card.new_stream()
        short, long = datacenter.card.holding(batch(2)), datacenter.card.holding(batch(4))
        session.run_on_card(long, stream=stream)
        given = session.run_on_card(short, stream=stream)
        datacenter.card.wait(stream.number)
        assert_lies_on_card(datacenter.card, given, batch(2))


def test_the_stream_that_an_input_names_is_waited_for(datacenter: Bench) -> None:
    with datacenter.open() as session:
        producer = datacenter.card.new_stream()
        x = datacenter.card.holding(np.zeros((1, 3, 28, 28), np.float32), stream=producer.number)
        address = x.__cuda_array_interface__["data"][0]
        datacenter.card.queue(producer.number, lambda: datacenter.card.write(address, batch(1)))
        assert_lies_on_card(datacenter.card, session.run_on_card(x), batch(1))


def test_what_is_wrong_with_an_input_on_the_card_is_named(rtx: Bench) -> None:
    with rtx.open() as session:
        hold = rtx.card.holding
        with pytest.raises(BadInput, match="must be an array on the card, not ndarray"):
            session.run_on_card(batch(1))
        with pytest.raises(BadInput, match=r"must have shape \(N, 3, 28, 28\), not \(1, 3, 28, 27\)"):
            session.run_on_card(hold(np.zeros((1, 3, 28, 27), np.float32)))
        with pytest.raises(BadInput, match="must have shape"):
            session.run_on_card(hold(np.zeros((0, 3, 28, 28), np.float32)))
        with pytest.raises(BadInput, match="must be float32, not float64"):
            session.run_on_card(hold(batch(1), typestr="<f8"))
        with pytest.raises(BadInput, match="must be contiguous"):
            session.run_on_card(hold(batch(2), strides=(18816, 3136, 112, 4)))
        # Steps along an axis of length one mean nothing.
        assert session.run_on_card(hold(batch(1), strides=(7, 3136, 112, 4))).shape == (1, 3)
    with pytest.raises(RuntimeError, match="is closed"):
        session.run_on_card(hold(batch(1)))


def test_full_precision_is_taken_first(checkpoint: Checkpoint) -> None:
    store_engine(checkpoint, precision="fp16")
    bench = Bench(checkpoint, "rtx")
    with bench.open() as session:
        assert ", fp16, " in session.describe()
    store_engine(checkpoint)
    with bench.open() as session:
        assert ", fp32, " in session.describe()
    with bench.open(precision="fp16") as session:
        assert "TensorRT for RTX 9.9.9 on Stand-in RTX 9 (test), fp16, batches up to 4" in session.describe()


def test_no_card_is_said_with_the_remedy(checkpoint: Checkpoint) -> None:
    store_engine(checkpoint)
    absent = NoCard(detail="the NVIDIA driver sees no card", remedy="check that it is visible")
    with pytest.raises(BackendUnavailable, match="tensorrt cannot run here: the NVIDIA driver sees no card; check"):
        TensorRtSession(checkpoint, card=lambda: absent, flavours=[])


def test_no_engine_is_said_with_the_command(checkpoint: Checkpoint) -> None:
    with pytest.raises(BackendUnavailable, match=r"has no TensorRT engine yet; run: onset build .*model"):
        Bench(checkpoint, "rtx").open()


def test_an_altered_engine_is_not_loaded(rtx: Bench) -> None:
    (engine,) = (rtx.checkpoint.folder / "engines").glob("*.engine")
    engine.write_bytes(engine.read_bytes() + b" ")
    with pytest.raises(BackendUnavailable, match="differs from the SHA-256 sum"):
        rtx.open()
    assert rtx.trt.enqueued == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no engine", r"does not load the engine: .* Serialization \(magic tag does not match\)\); use onnxruntime"),
        (engine_content(channel_mean_model(MATRIX), kind="HALF"), "something else than float32"),
        (
            engine_content(channel_mean_model(MATRIX[:, :2])),
            r"turns \(N, 3, 28, 28\) into \(N, 2\) where the checkpoint's card says .* into \(N, 3\); run: onset build",
        ),
    ],
)
def test_an_engine_that_does_not_load_is_one_line(checkpoint: Checkpoint, content: bytes, message: str) -> None:
    store_engine(checkpoint, content)
    with pytest.raises(BackendUnavailable, match=message) as fault:
        Bench(checkpoint, "rtx").open()
    assert "\n" not in str(fault.value)


def test_an_engine_that_gives_no_numbers_is_refused_at_opening(tmp_path: Path) -> None:
    checkpoint = stand_in_checkpoint(tmp_path / "model", channel_mean_model(np.full((3, 3), np.inf)))
    store_engine(checkpoint)
    with pytest.raises(BadCheckpoint, match="not finite"):
        Bench(checkpoint, "rtx").open()


def test_a_card_that_fails_in_mid_run_is_one_line(rtx: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with rtx.open() as session:
        rtx.card.broken = True
        for run in (lambda: session.run(batch(1)), lambda: session.run_on_card(rtx.card.holding(batch(1)))):
            with pytest.raises(BackendUnavailable, match="backend tensorrt failed with checkpoint model on") as fault:
                run()
            assert "CUDA_ERROR_ILLEGAL_ADDRESS" in str(fault.value)
            assert "\n" not in str(fault.value)
    assert "cannot be closed" in caplog.text
    session.close()


def test_who_waits_for_a_stream_of_their_own_gets_one_line_too(rtx: Bench) -> None:
    with rtx.open() as session:
        line = r"tensorrt failed with checkpoint model .*\(\[700\] gone\)"
        with pytest.raises(BackendUnavailable, match=line), session.explained():
            raise OSError("[700]\ngone")
        with pytest.raises(BadInput, match="of ours"), session.explained():
            raise BadInput("of ours")


def test_a_run_that_tensorrt_refuses_is_told_in_its_words(rtx: Bench) -> None:
    with rtx.open() as session:
        rtx.trt.refuses = True
        with pytest.raises(BackendUnavailable, match=r"cannot run the engine: enqueueV3: Cuda Runtime \(an illegal"):
            session.run(batch(1))
        rtx.trt.refuses = False
        assert_classified(session, 1)


def test_memory_that_is_not_there_is_one_line(rtx: Bench) -> None:
    def absent() -> StandInCard:
        raise ImportError("No module named 'cuda'")

    with pytest.raises(BackendUnavailable, match=r"cannot be opened .*\(No module named 'cuda'\)"):
        TensorRtSession(rtx.checkpoint, card=lambda: CARD, flavours=[rtx.trt.flavour], memory=absent)


def test_the_card_is_made_current_in_whatever_thread_runs(rtx: Bench) -> None:
    with rtx.open() as session:
        before = rtx.card.attached
        assert_classified(session, 1)
        session.run_on_card(rtx.card.holding(batch(1)))
        assert rtx.card.attached == before + 2
