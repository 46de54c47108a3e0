"""How well expressions are spotted: F1, timing and false alarms, on films whose truth is known and on real footage.

Portraits are filmed into H.264 files under one condition after another and go through the whole way of the live
system: decoder, tracker, alignment, movement, spotter. Real footage, where some is given, is played as it is, where
whatever is spotted counts as a false alarm, and with movements of known onset, apex and offset warped into it.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from demo.benchmarks.spotting_chain import movement_of, spot
from demo.benchmarks.spotting_choice import choice_figures
from demo.benchmarks.spotting_dial import dial_figures
from demo.benchmarks.spotting_figures import alarms, figures, grouped
from demo.benchmarks.spotting_footage import PLANS, FootageTake, plan_footage, play_footage
from demo.benchmarks.spotting_pairs import pair_figures, pair_takes
from demo.benchmarks.spotting_picture import write_picture
from demo.benchmarks.spotting_tables import render
from demo.benchmarks.spotting_takes import (
    CLEAN,
    CONDITIONS,
    NATURAL,
    QUICK_CONDITIONS,
    QUICK_IDENTITIES,
    QUICK_RATES_HZ,
    QUICK_TAKE_S,
    RATES_HZ,
    TAKE_S,
    USUAL_HZ,
    Outcome,
    Take,
    plan,
    play,
)
from demo.progress_bar import bar_of
from trainers.datasets.synthetic_face import SHIPPED_FACES

__all__ = ["SHOWS_PROGRESS", "movement_of", "play_any", "render", "run", "spot"]

SHOWS_PROGRESS = True
"""It draws a progress bar of its own."""
_MOST_PROCESSES = 8


def play_any(take: Take | FootageTake) -> Outcome:
    """Play a film or a recording."""
    return play(take) if isinstance(take, Take) else play_footage(take)


def play_all(takes: Sequence[Take | FootageTake], processes: int) -> list[Outcome]:
    """Play films and recordings, several at once; outcomes in the order of the takes."""
    outcomes: dict[int, Outcome] = {}
    with bar_of("spotting bench") as done:
        if processes == 1:
            for number, take in enumerate(takes):
                outcomes[number] = play_any(take)
                done(len(outcomes), len(takes))
        else:
            # MediaPipe's threads do not survive a fork.
            with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                waiting = {pool.submit(play_any, take): number for number, take in enumerate(takes)}
                for future in as_completed(waiting):
                    outcomes[waiting[future]] = future.result()
                    done(len(outcomes), len(takes))
    return [outcomes[number] for number in range(len(takes))]


def run(
    *,
    quick: bool = False,
    footage: Sequence[Path] = (),
    picture: Path | None = None,
    conditions: Sequence[str] | None = None,
    rates_hz: Sequence[float] | None = None,
    identities: Sequence[int] | None = None,
    take_s: float | None = None,
    pairs: bool = True,
    choose: bool = False,
    processes: int | None = None,
) -> dict[str, Any]:
    """Film, play, spot and score.

    Args:
        quick: two faces, few conditions, about two minutes of video in all.
        footage: recordings of faces, or folders of them.
        picture: an SVG file to draw the detection curves and the conditions into.
        conditions: names of `CONDITIONS`; all by default.
        rates_hz: of the main condition.
        identities: faces, by number; all shipped ones by default, two when quick.
        take_s: length of each film, seconds; by default 20, or 10 when quick.
        pairs: compare 30 with 200 Hz, too.
        choose: set the dial on all faces but one, too, and report the one.
        processes: how many takes are played at once; by default one a core.

    Returns:
        Figures over the expressive takes at the usual rate, by condition, by rate, by identity and by amplitude; false
        alarms at rest; how far one script's intervals differ between 30 and 200 Hz; and figures of the footage.

    Raises:
        BadInput: if footage cannot be used or the picture cannot be written.
    """
    filmed = plan(
        conditions or (QUICK_CONDITIONS if quick else tuple(CONDITIONS)),
        rates_hz or (QUICK_RATES_HZ if quick else RATES_HZ),
        identities=identities or (QUICK_IDENTITIES if quick else tuple(range(SHIPPED_FACES))),
        duration_s=take_s or (QUICK_TAKE_S if quick else TAKE_S),
    )
    paired = pair_takes(quick=quick) if pairs else []
    recordings = plan_footage(footage, plans=1 if quick else PLANS)
    outcomes = play_all([*filmed, *paired, *recordings], processes or _processes())
    split = len(filmed), len(filmed) + len(paired)
    result = {
        **_film_figures(outcomes[: split[0]]),
        "thirty_against_two_hundred_hz": pair_figures(outcomes[split[0] : split[1]]),
        "footage": _footage_figures(outcomes[split[1] :]),
        "dial": dial_figures([*outcomes[: split[0]], *outcomes[split[1] :]]),
        "choice": choice_figures([*outcomes[: split[0]], *outcomes[split[1] :]]) if choose else None,
    }
    if picture is not None:
        write_picture(result, picture)
    return result


def _film_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    expressive = [outcome for outcome in outcomes if outcome.condition != "at rest"]
    natural = [outcome for outcome in expressive if outcome.condition == NATURAL]
    usual = [outcome for outcome in expressive if outcome.rate_hz == USUAL_HZ]
    by_condition = grouped(usual, lambda outcome: list(CONDITIONS).index(outcome.condition))
    named = {list(CONDITIONS)[int(place)]: found for place, found in by_condition.items()}
    clean = named.get(CLEAN)
    for found in named.values():
        found["f1_lost"] = clean["micro"]["f1"] - found["micro"]["f1"] if clean else None
    return {
        "overall": figures(usual),
        "by_condition": named,
        "natural_by_rate_hz": grouped(natural, lambda outcome: outcome.rate_hz),
        "by_identity": grouped(expressive, lambda outcome: outcome.identity),
        "at_rest": alarms([outcome for outcome in outcomes if outcome.condition == "at rest"]),
    }


def _footage_figures(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    if not outcomes:
        return None
    untouched = [outcome for outcome in outcomes if outcome.condition == "untouched"]
    inserted = [outcome for outcome in outcomes if outcome.condition != "untouched"]
    return {
        "untouched": alarms(untouched),
        "untouched_by_recording": grouped(untouched, lambda outcome: outcome.identity, alarms),
        "inserted": grouped(inserted, lambda outcome: outcome.condition),
        "inserted_by_recording": grouped(inserted, lambda outcome: (outcome.identity, outcome.condition)),
    }


def _processes() -> int:
    return max(1, min(len(os.sched_getaffinity(0)), _MOST_PROCESSES))
