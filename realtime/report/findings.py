"""What was not reported and why, how fast it all went, and what would make the next recording better."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from realtime.json_lines import Record
from realtime.movement_words import listed, together
from realtime.report.summary import Summary
from realtime.report.wording import STAGES, clock_time, milliseconds, short_time, without_numbers
from realtime.session_reader import Session

LISTED_IN_A_GROUP = 200
SLOW_CAMERA_HZ = 50.0
"""Under this, the shortest micro-expressions last no more than a frame or two."""
_FASTEST_MS, _SLOWEST_MS = 0.005, 1000.0


@dataclass(frozen=True, kw_only=True)
class RejectedRow:
    """One movement that was not reported."""

    time: str
    length: str
    regions: str
    strength: str
    threshold: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RejectedGroup:
    """Movements that were not reported for one reason."""

    reason: str
    count: int
    percent: float
    rows: Sequence[RejectedRow]
    """At most `LISTED_IN_A_GROUP`."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Latency of one stage."""

    stage: str
    p50: str
    p95: str
    p99: str
    bar: tuple[float, float]
    """From p50 to p99 on a logarithmic scale: left edge and width, percent."""
    tick: float
    """p95 on the same scale."""


def rejected_groups(rejected: Sequence[Record]) -> list[RejectedGroup]:
    """Movements that were not reported, by reason, the most frequent first."""
    by_reason: dict[str, list[Record]] = {}
    for movement in rejected:
        by_reason.setdefault(without_numbers(str(movement["reason"])), []).append(movement)
    ordered = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    return [
        RejectedGroup(
            reason=reason[:1].upper() + reason[1:],
            count=len(members),
            percent=round(100 * len(members) / len(ordered[0][1]), 1),
            rows=[_row(movement) for movement in members[:LISTED_IN_A_GROUP]],
        )
        for reason, members in ordered
    ]


def strongest_rejected(rejected: Sequence[Record]) -> RejectedRow | None:
    """The movement that came nearest to being reported."""
    strongest = max(
        rejected, key=lambda movement: movement["strength"] / max(movement["threshold"], 1e-6), default=None
    )
    return None if strongest is None else _row(strongest)


def _row(movement: Record) -> RejectedRow:
    return RejectedRow(
        time=clock_time(movement["onset_s"]),
        length=short_time(movement["offset_s"] - movement["onset_s"]),
        regions=listed(together(movement["regions"])),
        strength=f"{movement['strength']:.2f} px",
        threshold=f"{movement['threshold']:.2f} px",
        reason=str(movement["reason"]),
    )


def speeds(record: Record) -> list[Speed]:
    """Latency of every stage, in the order of the data."""
    latencies = record.get("latency_ms") or {}
    names = [name for name in STAGES if name in latencies] + [name for name in latencies if name not in STAGES]
    return [_speed(STAGES.get(name, name.replace("_", " ").capitalize()), latencies[name]) for name in names]


def _speed(stage: str, latency: Record) -> Speed:
    p50, p95, p99 = (latency.get(name) for name in ("p50", "p95", "p99"))
    left, right = _logarithmic(p50), _logarithmic(p99)
    return Speed(
        stage=stage,
        p50=milliseconds(p50),
        p95=milliseconds(p95),
        p99=milliseconds(p99),
        bar=(left, round(max(right - left, 0.6), 2)),
        tick=_logarithmic(p95),
    )


def _logarithmic(value_ms: float | None) -> float:
    share = math.log(max(value_ms or 0.0, _FASTEST_MS) / _FASTEST_MS) / math.log(_SLOWEST_MS / _FASTEST_MS)
    return round(100 * min(1.0, share), 2)


def pace(record: Record) -> str:
    """How fast the run was against the recording; empty where it is not known."""
    processed, rate = record.get("processed_frames_per_s"), record.get("frame_rate_hz")
    if not processed:
        return ""
    words = f"{processed:,.0f} frames a second in all"
    return f"{words}, {processed / rate:.1f} times the rate of the recording." if rate else f"{words}."


def advice(session: Session, summary: Summary) -> list[str]:
    """What limits this recording, in plain words, and what would help."""
    record = session.record
    said: list[str] = []
    if not summary.with_face:
        return said
    rate = record.get("frame_rate_hz")
    dropped = int((record.get("frames") or {}).get("dropped") or 0)
    if rate and rate < SLOW_CAMERA_HZ and not record.get("conditions"):  # they say it themselves
        said.append(
            f"At {rate:.0f} frames a second a frame lasts {1000 / rate:.0f} ms, and the shortest micro-expressions "
            "last 40 ms: some fall between two frames. A camera of 100 Hz or more sees them."
        )
    if 0 < summary.with_face < 0.9 * summary.frames:
        said.append(
            f"A face was in view in {summary.face_percent} of the frames; what happened in the others is not known."
        )
    if dropped > 0.01 * max(1, summary.frames):
        said.append(
            f"{dropped:,} frames were dropped because this machine could not keep up; a lower resolution helps."
        )
    return said
