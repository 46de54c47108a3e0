"""Videos with known onset, apex and offset: what `onset synthesize` writes and the golden tests replay.

A still face (`synthetic_face`) is animated by a script (`synthetic_scenes`) and filmed
(`synthetic_rendering`) at any frame rate. The truths go into `truth.jsonl`, one JSON object a line,
the parameters into `scene.json`.

In `truth.jsonl`, onset and offset are where the displacement passes 10 % of its peak
(`synthetic_scenes.VISIBLE_SHARE`); `onset_index` is the first frame at or after the onset, `offset_index` the
last at or before the offset, `apex_index` the frame nearest to the apex, all 0-based among the frames
that are in the file.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from jaxtyping import UInt8

from engines.errors import BadInput
from realtime.clock import NANOSECONDS, to_nanoseconds, to_seconds
from realtime.json_lines import as_json, write_atomically
from trainers.datasets.action_units import ActionUnitActivation
from trainers.datasets.synthetic_rendering import TICKS_HZ, Scene, frame_times_ns
from trainers.datasets.synthetic_scenes import VISIBLE_SHARE, Movement, SceneParameters

GENTLE = SceneParameters(head_shift_px=1.5, head_roll_deg=0.4, head_turn_deg=0.5, noise_sd=1.0)
"""Someone who sits still: the usual scene."""

PRESETS: dict[str, SceneParameters] = {
    "still": SceneParameters(),
    "gentle": GENTLE,
    "moving": SceneParameters(
        head_shift_px=4.0, head_roll_deg=1.2, head_turn_deg=1.5, head_scale=0.008, light_drift=0.02
    ),
    "noisy": replace(GENTLE, noise_sd=2.0, shot_noise=0.04),
    "dark": replace(GENTLE, brightness=0.35, noise_sd=2.5, shot_noise=0.04),
    "flicker": replace(GENTLE, flicker=0.04, light_drift=0.05),
    "blinks": replace(GENTLE, blinks_per_minute=18.0),
    "neutral": SceneParameters(expressions=False, noise_sd=3.0),
    "macro": replace(GENTLE, macro_share=1.0),
    "natural": SceneParameters(
        head_shift_px=5.0, head_roll_deg=1.5, head_turn_deg=3.0, head_scale=0.01, light_drift=0.02, noise_sd=1.0,
        blinks_per_minute=15.0, saccades_per_minute=30.0, relief=True,
    ),
    "turning": replace(GENTLE, head_turn_deg=4.0, relief=True),
    "speech": replace(GENTLE, speech_share=0.6),
    "saccades": replace(GENTLE, saccades_per_minute=60.0),
    "glasses": replace(GENTLE, glasses=True),
    "exposure": replace(GENTLE, exposure_jumps_per_minute=12.0),
}  # fmt: skip
"""Scenes by name: what tests and benches film."""

Progress = Callable[[int, int], None]
"""Called with frames done and frames in all."""


@dataclass(frozen=True, kw_only=True)
class Filming:
    """How a scene becomes a video file."""

    frame_rate_hz: float = 100.0
    codec: Literal["h264", "h264-lossless"] = "h264"
    """Lossless keeps every RGB value; files are some thirty times larger."""
    quality: int = 16
    """Constant rate factor of H.264, 0–51, less is better; not used where a bit rate is given."""
    bit_rate_mbps: float = 0.0
    """Average bit rate instead of constant quality, megabits a second; 1 is a poor video call; 0 for none."""
    jitter: float = 0.0
    """Departure of frame times from the regular ones, share of a frame period: variable rate."""
    drop_probability: float = 0.0
    """Share of frames that the camera loses."""

    def __post_init__(self) -> None:
        if not 1.0 <= self.frame_rate_hz <= 1000.0:
            raise BadInput(f"frame rate {self.frame_rate_hz} Hz: give 1 to 1000")
        if not 0.0 <= self.jitter < 0.5 or not 0.0 <= self.drop_probability < 1.0:
            raise BadInput(f"jitter {self.jitter}, drops {self.drop_probability}: give 0 ≤ jitter < 0.5, 0 ≤ drops < 1")


FILMINGS: dict[str, Filming] = {
    "h264-1mbit": Filming(bit_rate_mbps=1.0),
    "lossless": Filming(codec="h264-lossless"),
    "variable-rate": Filming(jitter=0.3),
    "dropped-frames": Filming(drop_probability=0.03),
}
"""Ways of filming by name; as presets of a video they film the gentle scene."""


@dataclass(frozen=True, kw_only=True)
class Take:
    """One video to be made."""

    name: str
    """File name without suffix."""
    parameters: SceneParameters
    filming: Filming
    seed: int


def truth_records(
    scene: Scene, times_ns: Sequence[int], video: str, subject: str | None = None
) -> list[dict[str, Any]]:
    """The true expressions of a scene as lines of `truth.jsonl`.

    Args:
        scene: what was filmed.
        times_ns: times of the frames in the file, increasing.
        video: name of the file.
        subject: who; the portrait's name if not given.

    Returns:
        One record an expression that lies within the frames.
    """
    return movement_records(scene.truths, times_ns, video, subject or scene.portrait.name)


def movement_records(
    movements: Sequence[Movement], times_ns: Sequence[int], video: str, subject: str
) -> list[dict[str, Any]]:
    """True expressions as lines of `truth.jsonl`.

    Args:
        movements: what happened, in time order.
        times_ns: times of the frames in the file, increasing.
        video: name of the file.
        subject: who.

    Returns:
        One record an expression that lies within the frames.
    """
    records = []
    for movement in movements:
        onset = bisect_left(times_ns, to_nanoseconds(movement.onset_s))
        offset = bisect_right(times_ns, to_nanoseconds(movement.offset_s)) - 1
        if onset >= len(times_ns) or offset < onset:
            continue
        distances = np.abs(np.asarray(times_ns) - to_nanoseconds(movement.apex_s))
        records.append(
            {
                "video": video,
                "subject": subject,
                "onset_index": onset,
                "apex_index": int(np.clip(np.argmin(distances), onset, offset)),
                "offset_index": offset,
                "onset_s": movement.onset_s,
                "apex_s": movement.apex_s,
                "offset_s": movement.offset_s,
                "kind": movement.kind,
                "label": movement.label,
                "action_units": list(movement.action_units),
                "amplitude_px": movement.amplitude_px,
            }
        )
    return records


def write_video(
    scene: Scene, path: str | Path, filming: Filming | None = None, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Film a scene into a video file.

    Args:
        scene: what to film.
        path: the file, `.mp4` or `.mkv`; MP4 keeps exact times, Matroska rounds them to milliseconds.
        filming: rate, codec and faults of the camera.
        progress: called after every frame.

    Returns:
        The truths as lines of `truth.jsonl`.

    Raises:
        BadInput: if the file cannot be written or has another suffix.
    """
    filming = filming or Filming()
    path = Path(path)
    times_ns = _times_ns(scene.parameters, filming, scene.seed)
    frames = ((time_ns, scene.frame(to_seconds(time_ns))) for time_ns in times_ns)
    encode_video(frames, path, filming, _of(progress, len(times_ns)))
    return truth_records(scene, times_ns, path.name)


def _of(progress: Progress | None, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(done, total)


def encode_video(
    frames: Iterable[tuple[int, UInt8[np.ndarray, "H W 3"]]],
    path: str | Path,
    filming: Filming,
    progress: Callable[[int], None] | None = None,
) -> list[int]:
    """Write pictures into a video file.

    Args:
        frames: time in nanoseconds and RGB picture, in time order, all of one size with even sides.
        path: the file, `.mp4` or `.mkv`; MP4 keeps exact times, Matroska rounds them to milliseconds.
        filming: codec, quality and nominal rate.
        progress: called with the frames done after every one.

    Returns:
        Times of the frames, nanoseconds.

    Raises:
        BadInput: if the file cannot be written or has another suffix.
    """
    path = Path(path)
    if path.suffix not in (".mp4", ".mkv"):
        raise BadInput(f"{path}: name the video .mp4 or .mkv")
    times_ns: list[int] = []
    try:
        with av.open(str(path), "w") as container:
            stream: Any = None
            for time_ns, image in frames:
                stream = stream or _open_stream(container, image.shape, filming)
                picture = av.VideoFrame.from_ndarray(image, format="rgb24")
                picture.pts = round(time_ns * TICKS_HZ / NANOSECONDS)
                picture.time_base = Fraction(1, TICKS_HZ)
                container.mux(stream.encode(picture))
                times_ns.append(time_ns)
                if progress is not None:
                    progress(len(times_ns))
            if stream is not None:
                container.mux(stream.encode())
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
    return times_ns


def _open_stream(container: Any, shape: tuple[int, ...], filming: Filming) -> Any:
    lossless = filming.codec == "h264-lossless"
    options = {"preset": "ultrafast" if lossless else "veryfast"}
    if lossless:
        options["qp"] = "0"
    elif filming.bit_rate_mbps <= 0:
        options["crf"] = str(filming.quality)
    rate = Fraction(filming.frame_rate_hz).limit_denominator(1001)
    stream = container.add_stream("libx264rgb" if lossless else "libx264", rate=rate, options=options)
    stream.height, stream.width = shape[:2]
    stream.pix_fmt = "rgb24" if lossless else "yuv420p"
    stream.codec_context.time_base = Fraction(1, TICKS_HZ)
    stream.time_base = Fraction(1, TICKS_HZ)
    stream.codec_context.thread_count = 2
    if filming.bit_rate_mbps > 0:
        stream.bit_rate = round(filming.bit_rate_mbps * 1e6)
    return stream


def plan_takes(
    *,
    presets: Sequence[str] = ("gentle",),
    frame_rates_hz: Sequence[float] = (100.0,),
    count: int = 4,
    seed: int = 0,
    duration_s: float = 30.0,
    face: str = "",
) -> list[Take]:
    """Plan videos of several scenes, faces and frame rates.

    Args:
        presets: names of `PRESETS` and `FILMINGS`.
        frame_rates_hz: each scene is filmed at each of them: the same movement, frame for frame in time.
        count: scenes a preset, each of another script and, of those shipped, another face.
        seed: same seed, same videos.
        duration_s: length of each.
        face: a picture of one's own instead of the shipped faces.

    Returns:
        The takes, presets × scenes × rates.

    Raises:
        BadInput: if a preset is unknown.
    """
    takes = []
    for preset, number, rate_hz in product(presets, range(count), frame_rates_hz):
        if preset not in PRESETS and preset not in FILMINGS:
            raise BadInput(f"preset '{preset}': unknown; choose among {', '.join((*PRESETS, *FILMINGS))}")
        parameters = replace(PRESETS.get(preset, GENTLE), duration_s=duration_s, identity=seed + number, face=face)
        filming = replace(FILMINGS.get(preset, Filming()), frame_rate_hz=rate_hz)
        name = f"{preset}-{rate_hz:g}hz-{number + 1:02d}"
        takes.append(Take(name=name, parameters=parameters, filming=filming, seed=seed * 1000 + number))
    return takes


def synthesize(
    out: str | Path, takes: Sequence[Take], *, overwrite: bool = False, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Write videos with their truth.

    Args:
        out: folder, made if it is not there.
        takes: what to film; see `plan_takes`.
        overwrite: allow a folder that already holds a truth file.
        progress: called with frames done and frames in all, over all videos.

    Returns:
        The lines of `truth.jsonl`.

    Raises:
        BadInput: if the folder holds a truth file already, or cannot be written.
    """
    out = Path(out)
    if (out / "truth.jsonl").exists() and not overwrite:
        raise BadInput(f"{out}: holds synthetic videos already; choose another folder or allow overwriting")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out}: cannot be made ({error.strerror}); choose another folder") from error
    total = sum(len(_times_ns(take.parameters, take.filming, take.seed)) for take in takes)
    records: list[dict[str, Any]] = []
    videos, before = [], 0
    for take in takes:
        scene = Scene.plan(take.parameters, take.seed)
        video = f"{take.name}.mp4"
        records += write_video(scene, out / video, take.filming, _onwards(progress, before, total))
        before += len(_times_ns(take.parameters, take.filming, take.seed))
        videos.append({"video": video, "seed": take.seed, "face": scene.portrait.name,
                       "parameters": asdict(take.parameters), "filming": asdict(take.filming)})  # fmt: skip
    description = {
        "truth": f"onset and offset: displacement passes {VISIBLE_SHARE:.0%} of its peak; apex: its maximum; "
        "amplitude_px: peak displacement with the inner canthi 64 px apart",
        "videos": videos,
    }
    write_atomically(out / "scene.json", as_json(description))
    write_atomically(out / "truth.jsonl", b"".join(as_json(record, indent=None) for record in records))
    return records


def _onwards(progress: Progress | None, before: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, _: progress(before + done, total)


def _times_ns(parameters: SceneParameters, filming: Filming, seed: int) -> list[int]:
    return frame_times_ns(
        parameters.duration_s, filming.frame_rate_hz,
        jitter=filming.jitter, drop_probability=filming.drop_probability, seed=seed,
    )  # fmt: skip


def example_scene() -> Scene:
    """What the README's first command replays: three micro-expressions, a smile, a blink, a gentle sway."""
    parameters = SceneParameters(
        duration_s=12.0, canthus_px=61.0, head_shift_px=2.0, head_roll_deg=0.6, head_turn_deg=0.8,
        head_scale=0.004, noise_sd=1.2, light_drift=0.01, blinks_per_minute=12.0,
    )  # fmt: skip
    movements = (
        _example_movement("surprise", (1, 2), 2.4, 2.2, (0.15, 0.02, 0.22)),
        _example_movement("negative", (4, 7), 4.6, 2.0, (0.17, 0.02, 0.24)),
        _example_movement("positive", (6, 12), 6.6, 2.4, (0.18, 0.03, 0.25)),
        _example_movement("positive", (6, 12), 8.9, 6.0, (0.55, 0.45, 0.8), kind="macro"),
    )
    return Scene.plan(parameters, seed=22, movements=movements)


def _example_movement(
    label: str,
    units: tuple[int, ...],
    start_s: float,
    amplitude_px: float,
    course_s: tuple[float, float, float],
    kind: Literal["micro", "macro"] = "micro",
) -> Movement:
    activations = tuple(ActionUnitActivation(unit=unit, left=1.0, right=0.85) for unit in units)
    rise_s, hold_s, fall_s = course_s
    return Movement(
        label=label, kind=kind, activations=activations, amplitude_px=amplitude_px,
        start_s=start_s, rise_s=rise_s, hold_s=hold_s, fall_s=fall_s,
    )  # fmt: skip


def example_video(path: str | Path, progress: Progress | None = None) -> list[dict[str, Any]]:
    """Write the example that the README's first command replays: 12 s at 100 Hz, 640×480.

    Args:
        path: the file, `.mp4`.
        progress: called after every frame.

    Returns:
        Its truths as lines of `truth.jsonl`.
    """
    return write_video(example_scene(), path, Filming(frame_rate_hz=100.0), progress)
