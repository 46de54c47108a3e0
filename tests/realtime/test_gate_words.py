"""Every gate says what it masks and why."""

import pytest

from realtime.faces.landmarks import MASKED_REGIONS, REGION_NAMES
from realtime.report.wording import GATES, without_numbers
from realtime.spotting.judgement import GATE_WORDS, masked_by


@pytest.mark.parametrize("gate", MASKED_REGIONS)
def test_a_gate_gives_its_reason_with_its_time_and_has_a_name_in_the_report(gate: str) -> None:
    masked, reason = masked_by(REGION_NAMES, {gate: (1_000_000_000, 1_250_000_000)})
    assert masked == MASKED_REGIONS[gate] <= set(REGION_NAMES)
    assert reason == f"{GATE_WORDS[gate]} from 1.00 s to 1.25 s"
    assert without_numbers(reason) == GATE_WORDS[gate]
    assert GATES[gate] not in ("", gate)


def test_names_and_reasons_tell_gates_apart() -> None:
    assert len(set(GATE_WORDS.values())) == len(GATE_WORDS) == len(MASKED_REGIONS)
    assert len(set(GATES.values())) == len(GATES)


def test_a_gate_without_regions_in_common_says_nothing() -> None:
    assert masked_by(("left inner brow",), {"out-below": (0, 1)}) == (frozenset(), None)
