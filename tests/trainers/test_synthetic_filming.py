"""Synthetic videos as files: rates, times, codecs, truth files, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import UInt8

from engines.errors import BadInput
from tests.synthetic_faces import movement, small_scene, still_scene
from trainers.datasets.synthetic_face import (
    load_portrait,
)
from trainers.datasets.synthetic_rendering import Scene, frame_times_ns
from trainers.datasets.synthetic_scenes import SceneParameters
from trainers.datasets.synthetic_videos import (
    GENTLE,
    PRESETS,
    Filming,
    example_scene,
    plan_takes,
    synthesize,
    truth_records,
    write_video,
)


def read_video(path: Path) -> tuple[list[int], list[UInt8[np.ndarray, "H W 3"]]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times_ns = [round(frame.time * 1_000_000_000) for frame in frames if frame.time is not None]
    return times_ns, [frame.to_ndarray(format="rgb24") for frame in frames]


@pytest.mark.parametrize("rate_hz", [24.0, 30.0, 59.94, 100.0, 240.0])
def test_frames_come_at_the_rate(rate_hz: float) -> None:
    times_ns = frame_times_ns(2.0, rate_hz)
    assert len(times_ns) == int(2.0 * rate_hz)
    assert np.abs(np.diff(times_ns) / 1e9 - 1.0 / rate_hz).max() < 2.0 / 90_000


@given(
    rate_hz=st.sampled_from([30.0, 100.0, 240.0]), jitter=st.floats(0.0, 0.45), drop=st.floats(0.0, 0.5),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_a_faulty_camera_still_goes_forward_in_time(rate_hz: float, jitter: float, drop: float, seed: int) -> None:
    times_ns = frame_times_ns(3.0, rate_hz, jitter=jitter, drop_probability=drop, seed=seed)
    assert times_ns[0] == 0
    assert np.all(np.diff(times_ns) > 0)
    assert len(times_ns) <= 3.0 * rate_hz


def test_the_same_movement_at_30_and_at_240_hz() -> None:
    scene = small_scene(movement(), head_shift_px=3.0, noise_sd=1.0)
    fast = dict(scene.frames(240.0))
    slow = dict(scene.frames(30.0))
    shared = [time_ns for time_ns in slow if time_ns in fast]
    assert len(shared) == len(slow)
    assert all(np.array_equal(slow[time_ns], fast[time_ns]) for time_ns in shared)


@pytest.mark.parametrize(("suffix", "rate_hz"), [(".mp4", 60.0), (".mp4", 200.0), (".mkv", 100.0)])
def test_a_lossless_video_holds_the_very_frames_and_times(tmp_path: Path, suffix: str, rate_hz: float) -> None:
    scene = small_scene(movement(start_s=0.1), duration_s=0.4, noise_sd=1.0)
    path = tmp_path / f"video{suffix}"
    write_video(scene, path, Filming(frame_rate_hz=rate_hz, codec="h264-lossless"))
    times_ns, images = read_video(path)
    assert times_ns == frame_times_ns(0.4, rate_hz)
    for time_ns, image in zip(times_ns, images, strict=True):
        assert np.array_equal(image, scene.frame(time_ns / 1e9))


def test_variable_rate_and_drops_reach_the_file_and_the_truth(tmp_path: Path) -> None:
    scene = small_scene(movement(start_s=0.2), duration_s=1.0)
    truths = write_video(scene, tmp_path / "video.mp4", Filming(frame_rate_hz=60.0, jitter=0.3, drop_probability=0.2))
    times_ns, _ = read_video(tmp_path / "video.mp4")
    assert len(times_ns) < 60
    assert np.ptp(np.diff(times_ns)) > 5_000_000
    (truth,) = truths
    times_s = np.array(times_ns) / 1e9
    assert truth["onset_index"] == int(np.argmax(times_s >= truth["onset_s"]))
    assert truth["offset_index"] == int(np.flatnonzero(times_s <= truth["offset_s"])[-1])
    assert truth["apex_index"] == int(np.abs(times_s - truth["apex_s"]).argmin())


def test_a_bit_rate_is_kept(tmp_path: Path) -> None:
    scene = still_scene(duration_s=1.5, noise_sd=3.0)
    write_video(scene, tmp_path / "poor.mp4", Filming(frame_rate_hz=30.0, bit_rate_mbps=1.0))
    write_video(scene, tmp_path / "good.mp4", Filming(frame_rate_hz=30.0))
    poor, good = ((tmp_path / name).stat().st_size for name in ("poor.mp4", "good.mp4"))
    assert poor < 2.0 * 1e6 / 8 * 1.5 < good


def test_records_have_what_the_contract_asks() -> None:
    scene = small_scene(movement((12, 6), label="positive"))
    (record,) = truth_records(scene, frame_times_ns(1.0, 100.0), "a.mp4", subject="s1")
    assert json.loads(json.dumps(record)) == {
        "video": "a.mp4", "subject": "s1", "onset_index": 55, "apex_index": 70, "offset_index": 89,
        "onset_s": pytest.approx(0.541, abs=1e-3), "apex_s": pytest.approx(0.7),
        "offset_s": pytest.approx(0.899, abs=1e-3), "kind": "micro", "label": "positive", "action_units": [12, 6],
        "amplitude_px": 2.0,
    }  # fmt: skip


def test_a_folder_of_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(GENTLE, width=160, height=120, canthus_px=14.0, lead_in_s=0.3, gap_s=(0.3, 0.4), macro_share=0.0)
    monkeypatch.setitem(PRESETS, "gentle", small)
    takes = plan_takes(frame_rates_hz=(30.0, 60.0), count=2, duration_s=2.0, seed=4)
    progress: list[tuple[int, int]] = []
    records = synthesize(tmp_path / "out", takes, progress=lambda done, total: progress.append((done, total)))
    lines = [json.loads(line) for line in (tmp_path / "out" / "truth.jsonl").read_text().splitlines()]
    assert lines == records
    names = {f"gentle-{rate}hz-{number:02d}.mp4" for rate in (30, 60) for number in (1, 2)}
    assert {path.name for path in (tmp_path / "out").glob("*.mp4")} == names
    described = json.loads((tmp_path / "out" / "scene.json").read_text())["videos"]
    assert {video["video"] for video in described} == names
    assert progress == [(done, 360) for done in range(1, 361)]
    slow, fast = ([line for line in lines if line["video"] == f"gentle-{rate}hz-01.mp4"] for rate in (30, 60))
    assert slow
    assert [line["apex_s"] for line in slow] == [line["apex_s"] for line in fast]
    with pytest.raises(BadInput, match="holds synthetic videos already"):
        synthesize(tmp_path / "out", takes)


# Bad input


def test_a_face_of_ones_own(tmp_path: Path) -> None:
    picture = cv2.cvtColor(load_portrait("eileen_collins").image, cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "me.png"), cv2.resize(picture, None, fx=2.0, fy=2.0))
    scene = Scene.plan(SceneParameters(face=str(tmp_path / "me.png"), duration_s=1.0), 0)
    assert scene.portrait.name == "me"
    shipped = still_scene(identity=1)
    assert np.sqrt(((scene.landmarks - shipped.landmarks) ** 2).sum(axis=1).mean()) < 3.0


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such picture"), (b"", "not a picture"), (b"text", "not a picture")]
)
def test_bad_face_pictures_are_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "face.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        load_portrait(path)


def test_a_picture_without_a_face_is_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 200, 3), 128, np.uint8))
    with pytest.raises(BadInput, match="no face found"):
        load_portrait(tmp_path / "wall.png")


@pytest.mark.parametrize("name", ["missing/video.mp4", "video.avi"])
def test_files_that_cannot_be_written_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=Path(name).name):
        write_video(small_scene(duration_s=0.1), tmp_path / name)


def test_bad_parameters_are_named() -> None:
    for fault in ({"duration_s": 0.0}, {"width": 63}, {"width": 101}, {"canthus_px": 0.0}):
        with pytest.raises(BadInput):
            SceneParameters(**fault)
    with pytest.raises(BadInput, match="joy"):
        SceneParameters(labels=("joy",))
    with pytest.raises(BadInput, match="'nowhere': unknown"):
        plan_takes(presets=("nowhere",))
    with pytest.raises(BadInput):
        Filming(frame_rate_hz=0.0)
    with pytest.raises(BadInput):
        Filming(jitter=0.5)


def test_the_example_shows_what_the_readme_says() -> None:
    scene = example_scene()
    kinds = [(made.kind, made.label) for made in scene.truths]
    assert kinds == [("micro", "surprise"), ("micro", "negative"), ("micro", "positive"), ("macro", "positive")]
    assert len(scene.script.blinks) >= 1
    assert 10.0 <= scene.parameters.duration_s <= 12.0
    assert scene.truths[-1].end_s < scene.parameters.duration_s - 0.8
