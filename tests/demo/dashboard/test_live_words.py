"""Every code and sentence that the pipeline can say has its words in both languages."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from demo.dashboard.words import LANGUAGES, all_words
from realtime.condition_aspects import Measures, judge
from realtime.faces import landmarks
from realtime.faces.landmarks import REGION_NAMES
from realtime.report.wording import GATES
from realtime.spotting.action_units import ACTION_UNITS
from realtime.spotting.judgement import GATE_WORDS
from trainers.labels import COMPOSITE_LABELS

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "demo" / "dashboard" / "assets"
SPOTTING = ROOT / "realtime" / "spotting"
USED = re.compile(r"""words\(\s*"((?:live|terms)\.[^"]+)["]""")


def _matches(kind: str, sentence: str) -> list[str]:
    """Keys whose English, its braces standing for anything, is this sentence: as `terms.js` finds them."""
    found = []
    for key, texts in all_words().items():
        if key.startswith(f"terms.{kind}."):
            pattern = "(.+?)".join(re.escape(part) for part in re.split(r"\{\w+\}", texts["en"]))
            if re.fullmatch(pattern, sentence, re.DOTALL):
                found.append(key)
    return found


@pytest.mark.parametrize("key", [key for key in all_words() if key.startswith(("live.", "terms."))])
def test_both_languages_have_the_text_with_the_same_values(key: str) -> None:
    texts = all_words()[key]
    assert set(texts) == set(LANGUAGES)
    values = [sorted(set(re.findall(r"\{(\w+)\}", texts[language]))) for language in LANGUAGES]
    assert values[0] == values[1]


def test_every_region_gate_unit_and_label_has_a_word() -> None:
    gates = {value for name, value in vars(landmarks).items() if name.startswith("GATE_")}
    wanted = [f"region.{name}" for name in REGION_NAMES]
    wanted += [f"region.both {name.split(' ', 1)[1]}s" for name in REGION_NAMES if name.startswith("left ")]
    wanted += [f"gate.{gate}" for gate in gates | set(GATES)]
    wanted += [f"unit.{unit.number}" for unit in ACTION_UNITS]
    wanted += [f"label.{label}" for label in COMPOSITE_LABELS]
    assert [name for name in wanted if f"terms.{name}" not in all_words()] == []


def test_action_units_are_called_as_the_pipeline_calls_them() -> None:
    for unit in ACTION_UNITS:
        assert all_words()[f"terms.unit.{unit.number}"]["en"] == unit.name


def _measures(**changes: float) -> Measures:
    good = {
        "brightness": 130.0, "unsteadiness": 0.0, "width_px": 64.0, "frame_rate_hz": 120.0, "turn_rate_deg_s": 0.1,
        "shift_rate_px_s": 0.5, "head_turn_share": 0.0, "unreadable_share": 0.0, "lost_share": 0.0,
        "jitter_px": 0.001, "noise_px": 0.002,
    }  # fmt: skip
    return Measures(**(good | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"brightness": 12.0},
        {"brightness": 250.0},
        {"unsteadiness": 0.2},
        {"width_px": 12.0},
        {"frame_rate_hz": 30.0},
        {"frame_rate_hz": 45.0},
        {"turn_rate_deg_s": 30.0},
        {"turn_rate_deg_s": 30.0, "head_turn_share": 0.2},
        {"lost_share": 0.4},
        {"unreadable_share": 0.4},
        {"jitter_px": 0.5, "frame_rate_hz": 30.0},
        {"noise_px": 0.9},
    ],
)
def test_advice_is_known_to_the_translation(changes: dict[str, float]) -> None:
    advice = [aspect.advice for aspect in judge(_measures(**changes)) if aspect.advice]
    assert advice
    assert [sentence for sentence in advice if not _matches("advice", sentence)] == []


def _reasons(paths: Iterable[Path]) -> list[str]:
    """Sentences of the spotter's sources that are given as reasons, a number for every value."""
    sentences = []
    for path in paths:
        source = path.read_text(encoding="utf-8")
        # Strings side by side are one.
        source = re.sub(r'"\s*\n\s*f?"', "", source)
        for line in source.splitlines():
            found = re.search(
                r'(?:return|interruption=|_end_run\(|TIMED_OUT:|UNREADABLE:|reason =|^ {8,}f?)\s*f?"([^"]{15,})"', line
            )
            if found:
                sentences.append(
                    re.sub(r"\{[^}]*\}", "1.0", found[1].replace("{name}", "left cheek").replace("{when}", "before"))
                )
    return sentences


def test_reasons_against_movements_are_known_to_the_translation() -> None:
    reasons = _reasons([SPOTTING / "judgement.py", SPOTTING / "spotter.py"])
    assert len(reasons) > 20
    beside = ["", " while the head turns", " beside a blink"]
    spoken = [
        reason.removesuffix("1.0") + words if reason.endswith("needed1.0") else reason
        for reason in reasons
        for words in (beside if reason.endswith("needed1.0") else [""])
    ]
    assert [reason for reason in spoken if not _matches("reason", reason)] == []
    gates = [f"{words} from 1.20 s to 1.45 s" for words in GATE_WORDS.values()]
    assert [reason for reason in gates if not _matches("reason", reason)] == []


def test_every_key_that_the_view_asks_for_is_written() -> None:
    asked = {key for path in ASSETS.glob("*.js") for key in USED.findall(path.read_text(encoding="utf-8"))}
    assert len(asked) > 40
    assert asked - set(all_words()) == set()


def test_the_dial_tells_the_figures_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = {}
    for name in ("natural head movement, 30 Hz", "speech", "at rest, natural head movement"):
        line = re.search(rf"^\| {re.escape(name)} \|(.+)\|$", readme, re.MULTILINE)
        assert line is not None
        rows[name] = [cell.strip(" *").split(" / ") for cell in line[1].split("|")]
    source = (ASSETS / "live_dial.js").read_text(encoding="utf-8")
    told = {
        int(position): json.loads(re.sub(r"(\w+):", r'"\1":', f"{{{values}}}"))
        for position, values in re.findall(r"^  (\d): \{ (.+) \},$", source, re.MULTILINE)
    }
    assert sorted(told) == [1, 3, 5, 7, 9]
    for place, position in enumerate(sorted(told)):
        recall, moving = rows["natural head movement, 30 Hz"][place]
        expected = {
            "recall": float(recall),
            "moving": float(moving),
            "speech": float(rows["speech"][place][1]),
            "rest": float(rows["at rest, natural head movement"][place][1]),
        }
        assert told[position] == expected
