"""What stands under each picture of an annotated video: the event in words, the curve round now, the timeline."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from engines.errors import BadInput
from realtime.export.material import Material
from realtime.json_lines import Record
from realtime.movement_words import together
from realtime.report.wording import clock_time, short_time
from realtime.strongest_curve import StrongestCurve, read_curve

SMALLEST_WIDTH = 640
AROUND_S = 4.0
"""What the curve shows before and after now, seconds."""
LINGER_S = 0.6
"""How long an event is named before its onset and after its offset, seconds."""
LONGEST_BRIDGE_S = 0.25

Colour = tuple[int, int, int]
PAPER, RAISED, LINE, INK, SOFT = (18, 19, 21), (30, 32, 36), (58, 62, 68), (236, 237, 237), (164, 168, 175)
CURVE, LIMIT, NOW, GHOST = (195, 200, 208), (140, 146, 155), (255, 255, 255), (92, 97, 106)
COLOURS: dict[str, Colour] = {"negative": (255, 124, 146), "positive": (107, 166, 255), "surprise": (240, 193, 75)}
OTHERWISE: Colour = (150, 158, 171)
"""Macro-expressions and labels of other models."""

_Picture = UInt8[np.ndarray, "H W 3"]


class Strip:
    """Draws the strip for any moment of one session; what does not move is drawn once.

    Args:
        material: the session.
        width: of the strip, pixels.
    """

    def __init__(self, material: Material, *, width: int) -> None:
        self._scale = min(2.5, max(1.0, width / 900))
        self._width = width
        self._words_px, self._line_px = self._px(46), self._px(26)
        self._curve_px = self._px(84)
        self.height = (self._words_px + self._curve_px + self._line_px + 1) // 2 * 2
        self._events = sorted(material.session.events, key=lambda event: event["onset_s"])
        self._rejected = material.session.rejected
        self._said = [_words(event, material) for event in self._events]
        self._curve = _read_curve(material)
        self._length_s = _length_s(material, self._curve)
        self._top_px = _top(self._events, self._curve)
        self._timeline = self._drawn_timeline()

    def drawn(self, time_s: float) -> _Picture:
        """The strip of one moment.

        Args:
            time_s: in the session.
        """
        strip = np.full((self.height, self._width, 3), PAPER, np.uint8)
        self._draw_words(strip[: self._words_px], time_s)
        self._draw_curve(strip[self._words_px : self._words_px + self._curve_px], time_s)
        line = strip[self._words_px + self._curve_px :][: self._line_px]
        line[:] = self._timeline
        place = self._place(time_s)
        cv2.line(line, (place, 0), (place, self._line_px), NOW, max(1, self._px(2)))
        return strip

    def _px(self, size: float) -> int:
        return max(1, round(size * self._scale))

    def _place(self, time_s: float) -> int:
        return int(np.clip(time_s / self._length_s, 0, 1) * (self._width - 1))

    def _draw_words(self, part: _Picture, time_s: float) -> None:
        """The event of this moment in words, or the time alone."""
        now = [
            place
            for place, event in enumerate(self._events)
            if event["onset_s"] - LINGER_S <= time_s <= event["offset_s"] + LINGER_S
        ]
        self._write(part, clock_time(time_s), (self._width - self._px(84), self._px(20)), SOFT, 0.5)
        if not now:
            return
        # Of several the one that is strongest now: inside before past, then the later one.
        place = max(now, key=lambda one: (_inside(self._events[one], time_s), one))
        event, (head, rest) = self._events[place], self._said[place]
        colour = _colour(event)
        moments = [clock_time(event[f"{moment}_s"]) for moment in ("onset", "apex", "offset")]
        cv2.rectangle(part, (0, 0), (self._px(6), self._words_px), colour, -1)
        self._write(part, head, (self._px(16), self._px(20)), colour, 0.56)
        self._write(part, f"{' - '.join(moments)}   {rest}", (self._px(16), self._px(39)), SOFT, 0.42)

    def _draw_curve(self, part: _Picture, time_s: float) -> None:
        height = part.shape[0]
        part[:] = RAISED
        start_s, end_s = time_s - AROUND_S, time_s + AROUND_S
        for movement in self._rejected:
            if movement["offset_s"] >= start_s and movement["onset_s"] <= end_s:
                left, right = self._across(movement["onset_s"], time_s), self._across(movement["offset_s"], time_s)
                cv2.rectangle(part, (left, height - self._px(5)), (right, height), GHOST, -1)
        for event in self._events:
            if event["offset_s"] >= start_s and event["onset_s"] <= end_s:
                self._draw_span(part, event, time_s)
        if self._curve is not None:
            first, last = np.searchsorted(self._curve.time_s, (start_s, end_s))
            rows = slice(int(first), int(last))
            across = (self._curve.time_s[rows] - start_s) / (2 * AROUND_S) * (self._width - 1)
            self._draw_line(part, across, self._curve.threshold[rows], LIMIT, 1)
            self._draw_line(part, across, self._curve.strength[rows], CURVE, self._px(1.4))
        middle = self._across(time_s, time_s)
        cv2.line(part, (middle, 0), (middle, height), NOW, 1)

    def _draw_span(self, part: _Picture, event: Record, time_s: float) -> None:
        """An event in the curve: its span tinted, onset, apex and offset marked."""
        colour, height = _colour(event), part.shape[0]
        places = [self._across(event[f"{moment}_s"], time_s) for moment in ("onset", "apex", "offset")]
        span = part[:, max(0, places[0]) : max(0, places[2] + 1)]
        span[:] = (0.72 * span + 0.28 * np.array(colour)).astype(np.uint8)
        for place, mark in zip(places, ("on", "apex", "off"), strict=True):
            thick = self._px(2) if mark == "apex" else 1
            cv2.line(part, (place, 0), (place, height), colour, thick)
        self._write(part, "apex", (places[1] + self._px(4), self._px(12)), colour, 0.36)

    def _draw_line(
        self,
        part: _Picture,
        across: Float64[np.ndarray, " rows"],
        values: Float32[np.ndarray, " rows"],
        colour: Colour,
        thick: int,
    ) -> None:
        """A curve, broken where nothing was seen."""
        if len(across) < 2:
            return
        height = part.shape[0] - 2
        down = height - np.clip(values / self._top_px, 0, 1) * height + 1
        seen = np.isfinite(down)
        bridge_px = LONGEST_BRIDGE_S / (2 * AROUND_S) * self._width
        points = np.column_stack([across, np.where(seen, down, 0)])[seen]
        cuts = np.flatnonzero(np.diff(points[:, 0]) > bridge_px) + 1
        stretches = [np.round(stretch).astype(np.int32) for stretch in np.split(points, cuts) if len(stretch) > 1]
        cv2.polylines(part, stretches, False, colour, thick, cv2.LINE_AA)

    def _across(self, moment_s: float, now_s: float) -> int:
        place = (moment_s - now_s + AROUND_S) / (2 * AROUND_S) * (self._width - 1)
        return int(np.clip(place, -10, self._width + 10))

    def _drawn_timeline(self) -> _Picture:
        line = np.full((self._line_px, self._width, 3), PAPER, np.uint8)
        cv2.line(line, (0, self._line_px // 2), (self._width, self._line_px // 2), LINE, 1)
        for movement in self._rejected:
            left, right = self._place(movement["onset_s"]), self._place(movement["offset_s"])
            top = self._line_px // 2 - self._px(2)
            cv2.rectangle(line, (left, top), (max(right, left + 1), top + self._px(4)), GHOST, -1)
        for event in self._events:
            left, right = self._place(event["onset_s"]), self._place(event["offset_s"])
            edge = self._px(4)
            cv2.rectangle(
                line, (left, edge), (max(right, left + self._px(3)), self._line_px - edge), _colour(event), -1
            )
        return line

    def _write(self, part: _Picture, words: str, place: tuple[int, int], colour: Colour, size: float) -> None:
        cv2.putText(part, words, place, cv2.FONT_HERSHEY_DUPLEX, size * self._scale, colour, 1, cv2.LINE_AA)


def _words(event: Record, material: Material) -> tuple[str, str]:
    """What is said of an event: kind and label, corrected beside spotted, and what moved."""
    label = event.get("label")
    chance = (event.get("probabilities") or {}).get(label)
    spotted = str(label or "unlabelled") + ("" if chance is None else f" {chance:.0%}")
    remark = material.on_event(event)
    corrected = f", corrected: {_drawable(remark.label)}" if remark is not None and remark.label else ""
    length = short_time(event["offset_s"] - event["onset_s"])
    regions = ", ".join(together(event["regions"])[:4])
    return _drawable(f"{event['event_id']}  {event['kind']}, {length}: {spotted}") + corrected, _drawable(regions)


def _drawable(words: str) -> str:
    """The font of the video has Latin letters without marks alone; other words stand in the tables and the report."""
    return words if words.isascii() else "(see the tables)"


def _colour(event: Record) -> Colour:
    return COLOURS.get(str(event.get("label")), OTHERWISE)


def _inside(event: Record, time_s: float) -> bool:
    return bool(event["onset_s"] <= time_s <= event["offset_s"])


def _length_s(material: Material, curve: StrongestCurve | None) -> float:
    ends = [float(material.session.record.get("duration_s") or 0.0)]
    ends += [float(movement["offset_s"]) for movement in (*material.session.events, *material.session.rejected)]
    if curve is not None and len(curve.time_s):
        ends.append(float(curve.time_s[-1]))
    return max(*ends, 0.1)


def _top(events: Sequence[Record], curve: StrongestCurve | None) -> float:
    """A micro-expression fills the height; a long movement may be cut, or it would flatten all the others."""
    tallest = max((float(event["strength"]) for event in events if event["kind"] == "micro"), default=0.0)
    usual = 0.8
    if curve is not None and np.isfinite(curve.threshold).any():
        usual = float(np.nanmedian(curve.threshold))
    return max(2.5 * usual, 1.2 * min(tallest, 20 * usual))


def _read_curve(material: Material) -> StrongestCurve | None:
    try:
        return read_curve(material.session.folder)
    except BadInput:  # the signals are gone; the events are still there
        return None
