"""The spotting bench as text."""

from collections.abc import Iterable
from typing import Any

from demo.benchmarks.spotting_choice import render_choice
from demo.benchmarks.spotting_dial import render_dial
from demo.benchmarks.spotting_footage import CALM_PX, CALM_S

_HEAD = (
    f"{'':>16} {'min.':>5} {'micro':>5} {'F1':>6} {'prec.':>6} {'recall':>6} {'≥1.5px':>6} {'F1 all':>6} "
    f"{'onset':>5} {'apex':>5} {'offs.':>5} {'IoU':>5} {'false/min':>9}"
)
_AMPLITUDE_HEAD = "recall by amplitude, px"


def render(result: dict[str, Any]) -> str:
    """The figures as tables."""
    lines = ["portraits at 30 Hz, by condition; timing errors are medians, ms", _HEAD]
    lines += [_line(name, found) + _lost(found) for name, found in result["by_condition"].items()]
    lines.append(_line("overall", result["overall"]))
    lines += ["natural head motion and blinks, by rate", _HEAD]
    lines += [_line(f"{float(rate):.0f} Hz", found) for rate, found in result["natural_by_rate_hz"].items()]
    lines += ["by identity: what is chosen on some faces is to be read off the others", _HEAD]
    lines += [_line(f"face {name}", found) for name, found in result["by_identity"].items()]
    lines += _detection(result)
    lines.append(f"at rest, natural head motion: {_alarms(result['at_rest'])}")
    lines += _pairs(result["thirty_against_two_hundred_hz"])
    if result["footage"]:
        lines += _footage(result["footage"])
    lines += render_dial(result["dial"])
    lines += render_choice(result["choice"])
    return "\n".join(lines)


def series(result: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """What has a detection curve: the main condition at each rate, and insertions into footage; name and figures."""
    for rate, found in result["natural_by_rate_hz"].items():
        yield f"natural, {float(rate):.0f} Hz", found
    for what, found in ((result["footage"] or {}).get("inserted", {})).items():
        yield f"footage, {what}", found


def _line(name: str, found: dict[str, Any]) -> str:
    micro = found["micro"]
    timing = " ".join(
        _number(micro[f"{moment}_error_ms"]["median"], ".0f", 5) for moment in ("onset", "apex", "offset")
    )
    return (
        f"{name:>16} {found['minutes']:5.1f} {found['true_micro']:5d} {micro['f1']:6.3f} {micro['precision']:6.3f} "
        f"{micro['recall']:6.3f} {found['well_visible']['f1']:6.3f} {found['all']['f1']:6.3f} {timing} "
        f"{_number(micro['mean_iou'], '.2f', 5)} {_number(micro['false_alarms_per_minute'], '.2f', 9)}"
    )


def _lost(found: dict[str, Any]) -> str:
    """What a condition costs against the clean picture."""
    return "" if found["f1_lost"] is None else f"   {0.0 - found['f1_lost']:+.3f} F1"


def _number(value: float | None, form: str, width: int) -> str:
    return f"{'–' if value is None else format(value, form):>{width}}"


def _detection(result: dict[str, Any]) -> list[str]:
    found = list(series(result))
    if not found:
        return []
    bins = list(found[0][1]["by_amplitude_px"])
    lines = [f"{_AMPLITUDE_HEAD:>24}" + "".join(f"{name:>16}" for name in bins)]
    for name, figures in found:
        cells = (f"{one['recall']:.2f} of {one['true']}" for one in figures["by_amplitude_px"].values())
        lines.append(f"{name:>24}" + "".join(f"{cell:>16}" for cell in cells))
    return lines


def _alarms(found: dict[str, Any]) -> str:
    if not found["minutes"]:
        return f"no face seen; {found['micro']} micro and {found['macro']} macro false alarms"
    return (
        f"{found['micro']} micro and {found['macro']} macro false alarms in {found['minutes']:.1f} min "
        f"({found['micro_per_minute']:.2f} and {found['macro_per_minute']:.2f} a minute)"
    )


def _pairs(pairs: dict[str, Any]) -> list[str]:
    return [
        f"{condition}, the same script at 30 and at 200 Hz: {rates['within_one_frame']} of {rates['expressions']} "
        f"expressions within one 30 Hz frame in all moments; largest difference {rates['median_ms']:.0f} ms (median), "
        f"{rates['largest_ms']:.0f} ms (worst)"
        for condition, rates in pairs.items()
        if rates["expressions"]
    ]


def _footage(footage: dict[str, Any]) -> list[str]:
    lines = [f"footage untouched: {_alarms(footage['untouched'])}"]
    lines += [f"{name:>16.16}: {_alarms(found)}" for name, found in footage["untouched_by_recording"].items()]
    lines += ["footage with insertions; what the face itself does counts as false alarms, too", _HEAD]
    lines += [_line(what, found) for what, found in footage["inserted"].items()]
    for what, found in footage["inserted"].items():
        for name, words in (
            ("readable", "that could be read: no gate, and the face itself moves less far than they do"),
            ("calm", f"at which the face was calm, within {CALM_PX:g} px from {CALM_S:g} s before to after"),
        ):
            one = found[name]
            count = one["true_positives"] + one["false_negatives"]
            lines.append(f"{what:>16}: recall {one['recall']:.2f} of the {count} {words}")
    return lines
