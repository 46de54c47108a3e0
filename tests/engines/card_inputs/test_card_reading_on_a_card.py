"""The card's chain on a real card, with the real flow engine and TensorRT, against the host's steps."""

import shutil
import time
from collections.abc import Iterator

import numpy as np
import pytest

from engines.card_reading import CardReader
from engines.checkpoint import load_checkpoint
from engines.errors import BackendUnavailable
from engines.event_reading import HostReader, open_reader
from engines.flow import FlowEngine, open_flow
from engines.inputs import EventImages
from engines.sessions.tensorrt import TensorRtSession
from engines.tensorrt.build import build_engine
from tests.realtime.test_recognition import crops

pytestmark = pytest.mark.gpu
MOVEMENTS = [(0.0, 0.0), (0.0, 0.2), (0.008, 1.2), (-0.01, -2.5)]
"""Turn and shift of the head, radians and pixels: still, just still, moved."""
FLOW_PX = 0.01 * 256 / 112
"""A hundredth of a pixel of the image that TV-L1 sees, in pixels of the crop: what flow engines may differ by."""


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TensorRtSession, FlowEngine]]:
    folder = tmp_path_factory.mktemp("card") / "default"
    shutil.copytree(load_checkpoint().folder, folder, ignore=shutil.ignore_patterns("engines"))
    try:
        flow = open_flow("cuda")
        build_engine(folder)
    except BackendUnavailable as reason:
        pytest.skip(str(reason))
    with TensorRtSession(load_checkpoint(folder)) as session:
        yield session, flow


def images(turn: float, shift: float) -> EventImages:
    onset, apex, offset = (np.ascontiguousarray(face.image[..., 0]) for face in crops(turn=turn, shift=shift))
    return EventImages(onset=onset, apex=apex, offset=offset)


@pytest.mark.parametrize(("turn", "shift"), MOVEMENTS)
def test_the_card_reads_what_its_own_steps_read(
    engines: tuple[TensorRtSession, FlowEngine], turn: float, shift: float
) -> None:
    """Same flow engine, same session: only the chain differs, by the order of float32 sums.

    A last bit of an image may end a round of TV-L1 an iteration sooner or later. In the simulator, with TV-L1 on the
    processor, heads that kept still came out within 1e-6 px, one that moved 0.003 px off on average with a gray of the
    map 14 off at most: noise of 1e-6 of the gray values does a quarter of that to the processor's flow alone.
    """
    session, flow = engines
    reader = open_reader(session, flow)
    assert isinstance(reader, CardReader)
    given, expected = reader.read(images(turn, shift)), HostReader(session, flow).read(images(turn, shift))
    assert np.hypot(*(given.flow - expected.flow)).mean() < FLOW_PX
    assert np.abs(given.strain - expected.strain).mean() < 2e-3
    assert np.abs(given.features.astype(int) - expected.features).mean() < 2
    np.testing.assert_allclose(given.probabilities, expected.probabilities, atol=0.02)


@pytest.mark.parametrize(("turn", "shift"), MOVEMENTS)
def test_the_card_reads_what_the_processor_reads(
    engines: tuple[TensorRtSession, FlowEngine], turn: float, shift: float
) -> None:
    """Flow of the two engines differs by less than a hundredth of a pixel of the working image."""
    session, flow = engines
    given = open_reader(session, flow).read(images(turn, shift))
    expected = HostReader(session).read(images(turn, shift))
    assert np.hypot(*(given.flow - expected.flow)).mean() < FLOW_PX
    assert np.abs(given.features.astype(int) - expected.features).mean() < 2
    np.testing.assert_allclose(given.probabilities, expected.probabilities, atol=0.05)
    assert given.probabilities.argmax() == expected.probabilities.argmax()


def test_the_same_crops_give_the_same_bits(engines: tuple[TensorRtSession, FlowEngine]) -> None:
    reader = open_reader(*engines)
    first = reader.read(images(0.008, 1.2))
    reader.read(images(0.0, 0.0))
    again = reader.read(images(0.008, 1.2))
    np.testing.assert_array_equal(first.flow, again.flow)
    np.testing.assert_array_equal(first.features, again.features)


def test_time_of_an_event(engines: tuple[TensorRtSession, FlowEngine]) -> None:
    """Prints what an event takes on the card and by the host's steps; `pytest -m gpu -s` shows it."""
    session, flow = engines
    pictures = [images(0.008, 1.2 + 0.1 * k) for k in range(20)]
    for name, reader in (("card", open_reader(session, flow)), ("host", HostReader(session, flow))):
        reader.read(pictures[0])
        times_ms = []
        for picture in pictures:
            started = time.perf_counter()
            reading = reader.read(picture)
            times_ms.append(1e3 * (time.perf_counter() - started))
            assert reading.probabilities.sum() == pytest.approx(1, abs=1e-4)
        print(f"{name}: an event takes {np.median(times_ms):.2f} ms, p95 {np.percentile(times_ms, 95):.2f} ms")


def test_a_reader_may_be_used_from_another_thread(engines: tuple[TensorRtSession, FlowEngine]) -> None:
    """A run opens its engines in one thread and reads its events in another."""
    from realtime.worker import Worker

    session, flow = engines
    reader, readings = open_reader(session, flow), []
    expected = reader.read(images(0.0, 0.0))
    worker: Worker[EventImages] = Worker("reading", lambda pictures: readings.append(reader.read(pictures)))
    worker.submit(images(0.0, 0.0))
    worker.close()
    np.testing.assert_array_equal(readings[0].flow, expected.flow)
