from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.card_inputs.card_stream import CardStream
from engines.card_reading import CardReader
from engines.checkpoint import Checkpoint
from engines.classification import classify
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.event_reading import EventReading, HostReader, open_reader
from engines.flow import Tvl1Parameters, tvl1
from engines.inputs import EventImages, feature_map
from engines.sessions.onnxruntime import OnnxRuntimeSession
from tests.engines.card_inputs.on_host import FlowOnHost, SessionOnHost
from tests.engines.flow_pairs import texture
from tests.engines.stand_in_checkpoint import channel_mean_model, stand_in_checkpoint

BRIEF = Tvl1Parameters(warps=2, outer_iterations=1, inner_iterations=10)
NORMALISATION = "centred-flow-log-strain"
HEIGHT, WIDTH = 18, 14


def model(folder: Path, shape: tuple[int, int, int] = (3, 9, 8), **card: object) -> Checkpoint:
    """Logits that tell left from right and one channel from another."""
    matrix = np.random.default_rng(1).normal(0, 20, (shape[0], 3))
    content = channel_mean_model(matrix, shape, column_weight=True)
    return stand_in_checkpoint(folder, content, normalisation=NORMALISATION, input_shape=shape, **card)


def images(kind: type = np.uint8, *, turn: float = 0.0, shift: float = 0.0) -> EventImages:
    """A texture whose lower right moves, while all of it turns and shifts."""
    onset = texture(HEIGHT, WIDTH, seed=4)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    bump = 1.5 * np.exp(-((x - 10) ** 2 + (y - 13) ** 2) / 12)
    map_x, map_y = x - bump - shift + turn * (y - 8.5), y + bump - turn * (x - 6.5)
    apex = cv2.remap(onset.astype(np.float32), map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    apex = np.clip(np.rint(apex), 0, 255)
    return EventImages(onset=onset.astype(kind), apex=apex.astype(kind), offset=onset.astype(kind))


def assert_alike(given: EventReading, expected: EventReading) -> None:
    """The tolerance of a card's reading.

    Pixels of flow and strain by what float32 sums in another order make out; grays of the map by one in few places;
    probabilities by what such a gray does to a model that multiplies channel means by numbers about 20.
    """
    np.testing.assert_allclose(given.flow, expected.flow, atol=2e-3)
    np.testing.assert_allclose(given.strain, expected.strain, atol=2e-3)
    assert given.features.shape == expected.features.shape
    assert np.abs(given.features.astype(int) - expected.features).max() <= 1
    assert (given.features != expected.features).mean() < 0.02
    np.testing.assert_allclose(given.probabilities, expected.probabilities, atol=5e-3)


def test_the_host_reads_what_recipe_flow_and_session_give(tmp_path: Path) -> None:
    with OnnxRuntimeSession(model(tmp_path / "model", test_time_mirror=True)) as session:
        reading = HostReader(session, parameters=BRIEF).read(images())
        alone = replace(images(), flow_parameters=BRIEF)
        features = feature_map("flow-strain", alone, (9, 8))
        np.testing.assert_array_equal(reading.flow, alone.flow)
        np.testing.assert_array_equal(reading.strain, alone.strain)
        np.testing.assert_array_equal(reading.features, features)
        np.testing.assert_array_equal(reading.probabilities, classify(session, features[np.newaxis])[0])


def test_the_host_asks_the_flow_engine_that_it_is_given(tmp_path: Path) -> None:
    asked: list[Tvl1Parameters | None] = []

    def engine(previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None) -> np.ndarray:
        asked.append(parameters)
        return tvl1(previous, following, parameters)

    with OnnxRuntimeSession(model(tmp_path / "model")) as session:
        given = HostReader(session, engine, BRIEF).read(images())
        expected = HostReader(session, None, BRIEF).read(images())
    assert asked[0] == Tvl1Parameters.quick()
    assert asked[-1] == BRIEF
    np.testing.assert_array_equal(given.flow, expected.flow)
    np.testing.assert_array_equal(given.probabilities, expected.probabilities)


@pytest.mark.parametrize(
    ("pictures", "shape", "card"),
    [
        (lambda: images(), (3, 9, 8), {"test_time_mirror": True}),
        (lambda: images(np.float32, turn=0.02, shift=0.8), (3, 9, 8), {"output": "probabilities"}),
        (lambda: images(shift=-0.9), (6, 12, 10), {"recipe": "dual-branch", "test_time_mirror": True}),
    ],
    ids=["still", "moving", "dual-branch"],
)
def test_the_card_reads_what_the_host_reads(
    tmp_path: Path, pictures: Callable[[], EventImages], shape: tuple[int, int, int], card: dict[str, object]
) -> None:
    flow = FlowOnHost()
    with SessionOnHost(model(tmp_path / "model", shape, **card)) as session:
        reader = CardReader(session, flow, BRIEF, threads=4)
        given, expected = reader.read(pictures()), HostReader(session, flow, BRIEF).read(pictures())
    assert flow.asked == 3
    assert_alike(given, expected)
    assert np.ptp(given.features) == 255


def test_one_reader_reads_one_event_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("allocated while an event was read")

    with SessionOnHost(model(tmp_path / "model")) as session:
        reader = CardReader(session, FlowOnHost(), BRIEF, threads=4)
        first = reader.read(images(shift=1.0))
        kept = first.flow.copy()
        for name in ("array", "staging", "constant", "launch"):
            monkeypatch.setattr(CardStream, name, refuse)
        second = reader.read(images())
        expected = HostReader(session, None, BRIEF).read(images())
    np.testing.assert_array_equal(first.flow, kept)
    assert_alike(second, expected)


def test_the_chain_takes_the_flow_of_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the model is a stand-in here; few iterations on both sides make it bearable."""
    from engines.flow.cuda import CudaTvl1

    whole, few = images(shift=0.5), Tvl1Parameters(warps=1, outer_iterations=1, inner_iterations=2)
    monkeypatch.setattr(Tvl1Parameters, "quick", lambda: few)
    part = {name: getattr(whole, name)[4:10, 3:9].copy() for name in ("onset", "apex", "offset")}
    pictures = EventImages(**part)
    with SessionOnHost(model(tmp_path / "model")) as session, CudaTvl1() as flow:
        assert isinstance(open_reader(session, flow, few), CardReader)
        reader = CardReader(session, flow, few, threads=4)
        assert_alike(reader.read(pictures), HostReader(session, None, few).read(pictures))


def test_the_reader_follows_session_flow_and_recipe(tmp_path: Path) -> None:
    def choice(session: OnnxRuntimeSession, flow: FlowOnHost | None) -> str:
        with session:
            return open_reader(session, flow, BRIEF).choice

    fits, other = model(tmp_path / "fits"), stand_in_checkpoint(tmp_path / "other")
    assert choice(SessionOnHost(fits), FlowOnHost()) == "card: flow, flow-strain map and model stay there"
    assert choice(OnnxRuntimeSession(fits), FlowOnHost()) == "host: onnxruntime takes its input from the host"
    assert choice(SessionOnHost(fits), None) == "host: cpu flow is computed on the host"
    assert (
        choice(SessionOnHost(other), FlowOnHost()) == "host: flow-strain maps with unit-interval are made on the host"
    )


def test_what_the_card_cannot_read_is_one_line(tmp_path: Path) -> None:
    with (
        SessionOnHost(stand_in_checkpoint(tmp_path / "other")) as session,
        pytest.raises(BadInput, match="unit-interval are not made on the card: use a HostReader"),
    ):
        CardReader(session, FlowOnHost())
    with (
        SessionOnHost(model(tmp_path / "model")) as session,
        pytest.raises(BadInput, match="2000 × 20 pixels are too tall for the card"),
    ):
        CardReader(session, FlowOnHost()).read(blank(2000, 20))


def blank(height: int, width: int) -> EventImages:
    image = np.zeros((height, width), np.uint8)
    return EventImages(onset=image, apex=image, offset=image)


def test_a_card_that_fails_is_one_line(tmp_path: Path) -> None:
    class Failing(FlowOnHost):
        def solve_on_card(self, *_images: object, **_options: object) -> object:
            raise OSError("an illegal\nmemory access")

    with (
        SessionOnHost(model(tmp_path / "model")) as session,
        pytest.raises(BackendUnavailable, match=r"checkpoint model \(an illegal memory access\); use --backend"),
    ):
        CardReader(session, Failing(), threads=4).read(blank(8, 8))


def test_a_model_that_gives_nonsense_is_found(tmp_path: Path) -> None:
    class Blown(SessionOnHost):
        def run_on_card(self, *_tensors: object, **_options: object) -> object:
            return np.full((1, 3), np.nan, np.float32)

    with (
        Blown(model(tmp_path / "model", output="probabilities")) as session,
        pytest.raises(BadCheckpoint, match="not finite"),
    ):
        CardReader(session, FlowOnHost(), BRIEF, threads=4).read(blank(8, 8))
