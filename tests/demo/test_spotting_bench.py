"""The spotting bench: plan, figures, tables and picture with known outcomes instead of films; and real films."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from demo.benchmarks import spotting
from demo.benchmarks.spotting import play_all
from demo.benchmarks.spotting_chain import movement_of
from demo.benchmarks.spotting_dial import dial_figures, render_dial
from demo.benchmarks.spotting_figures import alarms, figures, scored, scored_between
from demo.benchmarks.spotting_footage import (
    FootageTake,
    footage_files,
    is_readable,
    plan_footage,
    play_footage,
    unrest_px,
)
from demo.benchmarks.spotting_pairs import pair_figures, rate_differences
from demo.benchmarks.spotting_picture import draw, write_picture
from demo.benchmarks.spotting_takes import CONDITIONS, RATES_HZ, Outcome, Take, plan, play, take_of
from demo.cli import main
from engines.errors import BadInput
from realtime.faces.landmarks import BROW_REGIONS
from realtime.sources import ScriptedSource
from tests.synthetic_faces import movement, small_scene, still_scene
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_videos import Filming, write_video
from trainers.metrics.spotting import Interval

TRUTHS = (((2.0, 2.2, 2.4), 1.0), ((5.0, 5.15, 5.3), 2.5))
"""Moments in seconds, and amplitudes."""


def played(take: Take | FootageTake, *, shift_s: float = 0.0) -> Outcome:
    """Both expressions spotted, `shift_s` late; nothing at rest, nor in footage but one smile."""
    condition = take.condition if isinstance(take, Take) else take.what
    at_rest = condition in ("at rest", "untouched")
    truths = [] if at_rest else [(Interval(video=take.name, onset_s=a, apex_s=b, offset_s=c), px)
                                 for (a, b, c), px in TRUTHS]  # fmt: skip
    events = [
        replace(
            one, onset_s=one.onset_s + shift_s, apex_s=(one.apex_s or 0.0) + shift_s, offset_s=one.offset_s + shift_s
        )
        for one, _ in truths
    ]
    if condition == "untouched":
        events = [Interval(video=take.name, onset_s=1.0, apex_s=1.5, offset_s=2.0, kind="macro")]
    return Outcome(
        name=take.name,
        condition=condition,
        rate_hz=take.rate_hz if isinstance(take, Take) else 25.0,
        identity=str(take.identity) if isinstance(take, Take) else take.path.name,
        duration_s=30.0,
        truths=[one for one, _ in truths],
        amplitudes_px=[px for _, px in truths],
        calm=[px > 2.0 for _, px in truths],
        readable=[] if isinstance(take, Take) else [px < 2.0 for _, px in truths][: len(truths)],
        events=events,
        rejected=1,
    )


def test_the_dial_says_what_each_position_finds_and_costs(take: Take) -> None:
    outcome = played(replace(take, condition="natural", rate_hz=30.0))
    nothing: list[Interval] = []
    stray = Interval(video=outcome.name, onset_s=9.0, apex_s=9.1, offset_s=9.2)
    events = {
        1.0: nothing,
        3.0: outcome.events[:1],
        5.0: outcome.events,
        7.0: outcome.events,
        9.0: [*outcome.events, stray],
    }
    dial = dial_figures([replace(outcome, at_positions=events), played(take)])
    assert list(dial) == ["natural"]
    assert [one["recall"] for one in dial["natural"].values()] == [0.0, 0.5, 1.0, 1.0, 1.0]
    assert [one["false_alarms_per_minute"] for one in dial["natural"].values()] == [0.0, 0.0, 0.0, 0.0, 2.0]
    lines = render_dial(dial)
    assert "1.00 / 2.0" in lines[-1]
    assert render_dial({}) == []


@pytest.fixture
def take() -> Take:
    return take_of("still", 30.0, 1, seed=1)


def test_the_plan_films_every_face_under_every_condition_with_the_same_script() -> None:
    takes = plan(tuple(CONDITIONS), RATES_HZ)
    assert len({take.name for take in takes}) == len(takes) == 8 * (len(CONDITIONS) + len(RATES_HZ) - 1)
    assert {take.rate_hz for take in takes if take.condition == "natural"} == set(RATES_HZ)
    assert {take.rate_hz for take in takes if take.condition != "natural"} == {30.0}
    assert len({(take.identity, take.seed) for take in takes}) == 8
    scripts = [
        Scene.plan(replace(take.scene, identity=take.identity, duration_s=20.0), take.seed).truths
        for name in ("clean", "natural", "dark", "glasses", "1 Mbit/s", "variable rate")
        for take in takes
        if (take.condition, take.identity, take.rate_hz) == (name, 3, 30.0)
    ]
    assert len(scripts) == 6
    assert all(script == scripts[0] for script in scripts)
    assert len(scripts[0]) >= 4


def test_a_perfect_run_scores_one_and_renders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spotting, "play_any", played)
    write_video(small_scene(), tmp_path / "talk.mp4", Filming(frame_rate_hz=10.0))
    result = spotting.run(quick=True, footage=[tmp_path], picture=tmp_path / "bench.svg", processes=1)
    assert result["overall"]["micro"]["f1"] == 1.0
    assert result["by_condition"]["1 Mbit/s"]["f1_lost"] is None  # quick runs film no clean picture to set it against
    assert result["by_condition"]["1 Mbit/s"]["well_visible"]["recall"] == 1.0
    assert set(result["natural_by_rate_hz"]) == {"30.0", "100.0"}
    assert set(result["by_identity"]) == {"1", "6"}
    assert result["at_rest"]["micro"] == result["at_rest"]["macro"] == 0
    assert result["footage"]["untouched"]["macro_per_minute"] == 2.0
    assert result["footage"]["inserted"]["brows"]["micro"]["recall"] == 1.0
    assert result["footage"]["inserted"]["brows"]["calm"]["true_positives"] == 1
    assert result["footage"]["inserted"]["brows"]["readable"]["true_positives"] == 1
    assert result["by_condition"]["natural"]["readable"]["true_positives"] == 0  # asked of real faces only
    pairs = result["thirty_against_two_hundred_hz"]
    assert set(pairs) == {"moving, h264", "moving, h264-lossless"}
    assert all(pair["largest_ms"] == 0.0 for pair in pairs.values())
    assert json.loads(json.dumps(result)) == result
    table = spotting.render(result)
    assert "0 micro and 1 macro false alarms in 0.5 min (0.00 and 2.00 a minute)" in table
    assert "2 of 2 expressions within one 30 Hz frame" in table
    assert (tmp_path / "bench.svg").read_text() == draw(result)


def test_misses_and_false_alarms_lower_the_score(take: Take) -> None:
    late = scored([played(take, shift_s=0.2)])
    assert late.true_positives == 0
    assert late.false_positives == late.false_negatives == 2


def test_an_amplitude_has_its_own_truths_and_everyones_false_alarms(take: Take) -> None:
    outcome = played(take)
    alarm = Interval(video=outcome.name, onset_s=8.0, apex_s=8.1, offset_s=8.3)
    missed_small = replace(outcome, events=[*outcome.events[1:], alarm])
    small, large = scored_between([missed_small], 0.8, 1.5), scored_between([missed_small], 1.5, 3.0)
    assert (small.true_positives, small.false_negatives, small.false_positives) == (0, 1, 1)
    assert (large.true_positives, large.false_negatives, large.false_positives) == (1, 0, 1)
    bins = figures([missed_small])["by_amplitude_px"]
    assert [(one["true"], one["recall"]) for one in bins.values()] == [(1, 0.0), (0, 0.0), (1, 1.0)]


def test_alarms_are_counted_by_the_time_a_face_was_seen() -> None:
    outcome = played(FootageTake(path=Path("talk.mp4"), what="untouched"))
    assert alarms([outcome, outcome])["macro_per_minute"] == 2.0
    assert alarms([replace(outcome, duration_s=0.0)])["micro_per_minute"] is None


def test_rates_are_compared_by_their_worst_moment(take: Take) -> None:
    first, second = played(take), played(take, shift_s=0.04)
    assert rate_differences(first, second) == pytest.approx([40.0, 40.0])
    assert pair_figures([first, second])["still"]["within_one_frame"] == 0


def test_the_picture_shows_what_was_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spotting, "play_any", lambda take: played(take, shift_s=0.03 if take.name[0] == "n" else 0.2))
    result = spotting.run(quick=True, processes=1)
    root = ElementTree.fromstring(draw(result))
    space = "{http://www.w3.org/2000/svg}"
    curves = root.findall(f"{space}polyline")
    assert len(curves) == len(result["natural_by_rate_hz"])
    heights = [float(point.split(",")[1]) for point in (curves[0].get("points") or "").split()]
    assert heights == [40.0, 40.0]  # everything found, in the two bins that hold a truth
    bars = {text.text for text in root.findall(f"{space}text")}
    assert {"natural", "1 Mbit/s", "1.00", "0.00"} <= bars
    with pytest.raises(BadInput, match="svg"):
        write_picture(result, tmp_path / "bench.png")


def test_footage_is_files_and_folders_of_videos(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.MOV", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in footage_files([tmp_path, tmp_path / "b.mp4"])] == ["a.MOV", "b.mp4", "b.mp4"]
    with pytest.raises(BadInput, match=r"a\.MOV: the file is empty"):
        plan_footage([tmp_path])
    same = [FootageTake(path=tmp_path / folder / "b.mp4", what="all") for folder in ("one", "other")]
    assert same[0].name != same[1].name
    (tmp_path / "empty").mkdir()
    for wrong in ("empty", "nothing.mp4"):
        with pytest.raises(BadInput, match=wrong):
            footage_files([tmp_path / wrong])


def test_wrong_footage_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["bench", "spotting", "--quick", "--footage", str(tmp_path / "none")]) == 2
    fault = capsys.readouterr().err
    assert "there is no such file or folder" in fault
    assert fault.count("\n") == 1


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of a face that does nothing."""
    path = tmp_path_factory.mktemp("footage") / "calm.mp4"
    write_video(still_scene(duration_s=5.0, noise_sd=0.5, identity=1), path, Filming(frame_rate_hz=30.0))
    return path


def test_movements_inserted_into_a_calm_face_are_spotted(recording: Path) -> None:
    untouched = play_footage(FootageTake(path=recording, what="untouched"))
    assert len({take.name for take in plan_footage([recording], plans=3)}) == 1 + 2 * 3
    assert untouched.truths == untouched.events == []
    assert untouched.duration_s == pytest.approx(149 / 30.0, abs=0.02)
    outcomes = [play_footage(FootageTake(path=recording, what="brows", seed=seed)) for seed in (0, 1)]
    assert len({truth.onset_s for outcome in outcomes for truth in outcome.truths}) >= 3
    assert all(calm for outcome in outcomes for calm in outcome.calm)
    assert sum(one for outcome in outcomes for one in outcome.readable) >= 3
    large = scored_between(outcomes, 1.5, float("inf"))
    assert large.true_positives >= 1
    assert large.recall >= 0.5


def test_a_film_is_played_and_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outcome = play(take_of("variable rate", 30.0, 1, seed=800, duration_s=5.0))
    assert outcome.truths
    assert outcome.amplitudes_px
    assert all(size >= 0.8 for size in outcome.amplitudes_px)
    assert not any(tmp_path.iterdir())


def test_a_face_is_restless_where_it_moves_by_itself() -> None:
    frown = movement((4,), start_s=1.0, amplitude_px=4.0)
    scene = still_scene(frown, duration_s=2.0, head_shift_px=3.0)
    film = ScriptedSource([(number * 40_000_000, scene.frame(number * 0.04)) for number in range(50)])
    samples = list(movement_of(film))
    assert unrest_px(samples, 0.1, 0.9, BROW_REGIONS) < 0.8
    assert unrest_px(samples, 0.8, 1.6, BROW_REGIONS) > 2.0
    assert unrest_px(samples, 5.0, 6.0) == float("inf")
    assert is_readable(samples, 0.2, 0.6, 2.0, BROW_REGIONS)
    assert not is_readable(samples, 0.9, 1.3, 2.0, BROW_REGIONS)  # it moves as far by itself
    shut = [replace(one, gates=("blink",)) if one.time_ns > 400_000_000 else one for one in samples]
    assert not is_readable(shut, 0.2, 0.6, 2.0, BROW_REGIONS)
    assert is_readable(shut, 0.1, 0.3, 2.0, BROW_REGIONS)


def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_video(small_scene(), tmp_path / name, Filming(frame_rate_hz=10.0))
    takes = [FootageTake(path=tmp_path / name, what="untouched") for name in ("a.mp4", "b.mp4")]
    alone = play_all(takes, 1)
    assert play_all(takes, 2) == alone
    assert [one.identity for one in alone] == ["a.mp4", "b.mp4"]
