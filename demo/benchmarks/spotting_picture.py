"""The spotting bench as a picture: detection curves over amplitude, and F1 and false alarms by condition."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from demo.benchmarks.spotting_tables import series
from engines.errors import BadInput
from realtime.json_lines import write_atomically

_COLOURS = ("#1f6feb", "#8250df", "#bf3989", "#cf222e", "#1a7f37", "#9a6700")
_WIDTH, _PLOT_HEIGHT, _LEFT = 900, 260, 60
_CURVES_RIGHT, _LEGEND_X = 560, 585
_ROW, _BAR_LEFT, _BAR_WIDTH = 24, 170, 430


def write_picture(result: dict[str, Any], path: Path) -> None:
    """Draw the figures into an SVG file.

    Args:
        result: of the bench.
        path: the file, `.svg`.

    Raises:
        BadInput: if it has another suffix or cannot be written.
    """
    if path.suffix != ".svg":
        raise BadInput(f"{path}: the picture is an SVG; name it .svg")
    try:
        write_atomically(path, draw(result).encode())
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose another folder") from error


def draw(result: dict[str, Any]) -> str:
    """The figures as SVG."""
    rows = [*result["by_condition"].items()]
    height = _PLOT_HEIGHT + 150 + _ROW * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#24292f">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        *_curves(list(series(result))),
        *_bars(rows, _PLOT_HEIGHT + 110),
        "</svg>",
    ]
    return "\n".join(parts)


def _text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = "#d0d7de") -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{colour}"/>'


def _curves(found: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """Recall over amplitude, one curve a series."""
    top, bottom = 40.0, 40.0 + _PLOT_HEIGHT
    parts = [_text(_LEFT, 22, "Share of micro-expressions found, by amplitude", weight="bold")]
    for tenth in range(0, 11, 2):
        y = bottom - tenth / 10 * _PLOT_HEIGHT
        parts += [_line(_LEFT, y, _CURVES_RIGHT, y), _text(_LEFT - 8, y + 4, f"{tenth / 10:.1f}", anchor="end")]
    bins = list(found[0][1]["by_amplitude_px"]) if found else []
    step = (_CURVES_RIGHT - _LEFT) / max(len(bins), 1)
    places = [_LEFT + step * (number + 0.5) for number in range(len(bins))]
    parts += [_text(x, bottom + 20, f"{name} px", anchor="middle") for x, name in zip(places, bins, strict=True)]
    for number, (name, figures) in enumerate(found):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [
            (x, bottom - one["recall"] * _PLOT_HEIGHT)
            for x, one in zip(places, figures["by_amplitude_px"].values(), strict=True)
            if one["true"]
        ]
        path = " ".join(f"{x:g},{y:.1f}" for x, y in points)
        dashes = ' stroke-dasharray="6 4"' if name.startswith("footage") else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts += [f'<circle cx="{x:g}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        y = top + 14 + 22 * number
        parts += [_line(_LEGEND_X, y - 4, _LEGEND_X + 24, y - 4, colour), _text(_LEGEND_X + 32, y, name)]
    return parts


def _bars(rows: Sequence[tuple[str, dict[str, Any]]], top: float) -> list[str]:
    """F1 of each condition as a bar, its false alarms a minute beside it."""
    parts = [_text(_LEFT, top - 24, "Micro-expression F1 by condition, portraits at 30 Hz", weight="bold")]
    parts.append(_text(_BAR_LEFT + _BAR_WIDTH + 90, top - 24, "false alarms a minute", weight="bold"))
    for number, (name, figures) in enumerate(rows):
        y, score = top + _ROW * number, figures["micro"]["f1"]
        alarms = figures["micro"]["false_alarms_per_minute"]
        parts += [
            _text(_BAR_LEFT - 10, y + 12, name, anchor="end"),
            f'<rect x="{_BAR_LEFT}" y="{y:g}" width="{_BAR_WIDTH}" height="15" fill="#eaeef2"/>',
            f'<rect x="{_BAR_LEFT}" y="{y:g}" width="{_BAR_WIDTH * score:.1f}" height="15" fill="#1f6feb"/>',
            _text(_BAR_LEFT + _BAR_WIDTH + 10, y + 12, f"{score:.2f}"),
            _text(_BAR_LEFT + _BAR_WIDTH + 90, y + 12, "–" if alarms is None else f"{alarms:.2f}"),
        ]
    return parts
