"""Speech is told from single movements of the mouth."""

from pathlib import Path

import numpy as np
import pytest

from realtime.faces import landmarks as named
from realtime.faces.alignment import FaceAligner
from realtime.faces.landmarks import REGION_NAMES
from realtime.faces.tracker import FaceTracker
from realtime.sources import open_source
from realtime.spotting.motion import MotionExtractor
from realtime.spotting.speech import SpeechGate, SpeechParameters
from tests.realtime.displacements import Pulse, Series, displacement_at, regular_times
from tests.realtime.filmed_faces import aligned_faces, close_up, movement_of
from tests.synthetic_faces import movement

RATES = (25.0, 30.0, 60.0, 200.0)
JAW = ("lower lip", "chin")


def gated_s(series: Series, rate_hz: float, hidden: tuple[str, ...] = ()) -> np.ndarray:
    """Times at which a series counts as speech, seconds."""
    times_s = regular_times(series.duration_s, rate_hz)
    gate = SpeechGate()
    moved = displacement_at(series, times_s).astype(np.float64)
    moved[:, [REGION_NAMES.index(name) for name in hidden]] = np.nan
    on = [gate.push(row, 1.0 / rate_hz, round(at * 1e9)) for row, at in zip(moved, times_s, strict=True)]
    return np.asarray(times_s[np.array(on)])


def jaw(start_s: float, amplitude_px: float = 3.0) -> Pulse:
    return Pulse(start_s=start_s, rise_s=0.1, fall_s=0.1, amplitude_px=amplitude_px, regions=JAW, direction=(0.0, 1.0))


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("hidden", [(), ("chin",), ("lower lip", "upper lip")])
def test_syllables_are_speech_from_the_second_on(rate_hz: float, hidden: tuple[str, ...]) -> None:
    """Four syllables a second from 1 s to 3 s; whatever can be read of the mouth tells."""
    spoken = Series(duration_s=5.0, pulses=[jaw(start_s) for start_s in np.arange(1.0, 3.0, 0.25)])
    on_s = gated_s(spoken, rate_hz, hidden)
    assert on_s[0] == pytest.approx(1.4, abs=0.06)
    assert on_s[-1] == pytest.approx(2.9 + 0.5, abs=0.1)
    assert len(on_s) == pytest.approx((on_s[-1] - on_s[0]) * rate_hz + 1, abs=1)


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize(
    "pulses",
    [
        [jaw(1.0)],
        [jaw(1.0), jaw(2.4)],
        [jaw(start_s, 0.6) for start_s in np.arange(1.0, 3.0, 0.25)],
        [Pulse(start_s=1.0, rise_s=0.6, hold_s=1.0, fall_s=0.8, amplitude_px=9.0, regions=JAW)],
        [Pulse(start_s=start_s, amplitude_px=4.0, regions=("left inner brow",)) for start_s in (1.0, 1.5, 2.0, 2.5)],
    ],
    ids=["one", "two apart", "too small", "smile", "brows"],
)
def test_other_movements_are_not(rate_hz: float, pulses: list[Pulse]) -> None:
    assert gated_s(Series(duration_s=4.0, pulses=pulses, noise_px=0.15), rate_hz).size == 0


@pytest.mark.parametrize("rate_hz", [30.0, 200.0])
def test_neither_are_misread_frames(rate_hz: float) -> None:
    """A frame far astray goes and comes within a frame: less time than a mouth needs to turn."""
    gate, turns = SpeechGate(SpeechParameters(reversals=3)), SpeechGate(SpeechParameters(reversals=3, apart_s=0.0))
    seen: list[tuple[bool, bool]] = []
    for index in range(round(2 * rate_hz)):
        moved = np.zeros((len(REGION_NAMES), 2))
        moved[[REGION_NAMES.index(name) for name in JAW]] = 20.0 * (index in (20, round(0.4 * rate_hz) + 20))
        time_ns = round(index / rate_hz * 1e9)
        seen.append((gate.push(moved, 1.0 / rate_hz, time_ns), turns.push(moved, 1.0 / rate_hz, time_ns)))
    assert np.any(seen, axis=0).tolist() == [False, True]


def test_neither_are_frames_that_cannot_be_read() -> None:
    unread = Series(duration_s=4.0, holes=[(1.0, 1.2, ""), (1.4, 1.6, ""), (1.8, 2.0, "")], pulses=[jaw(2.5)])
    assert gated_s(unread, 60.0).size == 0


def test_a_filmed_talker_is_gated_and_a_filmed_smile_is_not() -> None:
    talking = movement_of(aligned_faces(close_up(duration_s=2.4, seed=3, speech_share=1.0, noise_sd=1.0), 30.0))
    gated = np.array([named.GATE_SPEECH in sample.gates for sample in talking])
    assert not gated[0]
    assert gated[-len(gated) // 4 :].all()
    smile = movement((12,), label="positive", start_s=0.3, rise_s=0.2, fall_s=0.25, amplitude_px=3.0)
    smiling = movement_of(aligned_faces(close_up(smile, duration_s=1.0, noise_sd=1.0), 30.0))
    assert not any(named.GATE_SPEECH in sample.gates for sample in smiling)


@pytest.mark.parametrize(
    ("film", "least", "most"), [("grid_bbaf2n.mpg", 0.4, 0.8), ("pyfeat_single_face.mp4", 0.0, 0.0)]
)
def test_on_film_a_sentence_is_speech_and_a_broad_smile_is_not(
    shared_data: Path, film: str, least: float, most: float
) -> None:
    aligner, extractor, gated = FaceAligner(), MotionExtractor(), []
    with open_source(str(shared_data / "videos" / film)) as source, FaceTracker() as tracker:
        while (frame := source.read()) is not None:
            samples = [extractor.push(aligner.push(frame, seen)) for seen in tracker.push(frame)]
            gated += [named.GATE_SPEECH in sample.gates for sample in samples]
    assert least <= float(np.mean(gated)) <= most
