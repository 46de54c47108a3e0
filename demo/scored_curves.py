"""Published score curves as videos to be scored: `onset score --curves`."""

from dataclasses import dataclass
from pathlib import Path

from demo.scored_runs import Videos
from engines.errors import BadInput
from realtime.events import Kind
from trainers.metrics.score_curves import curve_intervals, load_score_curves, typical_half_length


@dataclass(frozen=True, kw_only=True)
class Picking:
    """How expressions are picked out of score curves."""

    kind: Kind = "macro"
    """With --curves: kind of expression that they are of; takes the sets of the file whose names end in it."""
    half_length_frames: int | None = None
    """With --curves: half the length of a typical expression (k in papers); by default from the file's true ones."""
    threshold_share: float = 0.6
    """With --curves: how far the threshold lies from a curve's mean towards its maximum (p in papers)."""
    frame_rate_hz: float = 30.0
    """With --curves: frame rate of their videos, for times and false alarms a minute; the hits do not depend on it."""
    ignore_empty_curves: bool = False
    """With --curves: do not count a curve without any peak as one false alarm, as published code does."""


def curve_videos(path: str | Path, picking: Picking) -> Videos:
    """True and picked expressions of a file of score curves.

    Args:
        path: an .npz file; see `trainers.metrics.score_curves.load_score_curves`.
        picking: how to pick.

    Raises:
        BadInput: if the file or a setting cannot be used.
    """
    if picking.frame_rate_hz <= 0:
        raise BadInput(f"--frame-rate-hz {picking.frame_rate_hz}: must be above 0")
    curves = load_score_curves(path, picking.kind)
    half_length = picking.half_length_frames
    if half_length is None:
        half_length = typical_half_length([curve.truths for curve in curves])
    videos = Videos(names=[curve.video for curve in curves], truths=[], kinds=(picking.kind,))
    for curve in curves:
        truths, picked = curve_intervals(
            curve,
            picking.kind,
            half_length,
            threshold_share=picking.threshold_share,
            frame_rate_hz=picking.frame_rate_hz,
            empty_interval=not picking.ignore_empty_curves,
        )
        videos.truths += truths
        videos.spotted += picked
        videos.durations_s[curve.video] = len(curve.scores) / picking.frame_rate_hz
        videos.frame_rates_hz[curve.video] = picking.frame_rate_hz
    empty = sum(one.onset_s == one.offset_s for one in videos.spotted)
    videos.notes.append(f"intervals: peak ± {half_length} frames, threshold share {picking.threshold_share:g}")
    if empty:
        videos.notes.append(f"{empty} of {len(curves)} curves have no peak, each counted as a false alarm")
    return videos
