"""One clip through the live path: crops and maps as a replay would have them, apexes found, further views."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.inputs import EventImages, feature_map
from realtime.faces.alignment import FaceAligner
from realtime.faces.observation import AlignedFace
from realtime.faces.tracker import FaceTracker
from realtime.sources import ImageFolder
from tests.trainers.drawn_clips import (
    drawn_clip,
    expression_scene,
    film_clip,
)
from trainers.preparation import PreparationSettings
from trainers.preparation.aligned_clip import aligned_clip, clip_frames
from trainers.preparation.clip_maps import ClipJob, PreparedClip, prepare_clip


def prepared(folder: Path, *, annotated: int | None = 48, **settings: object) -> PreparedClip:
    """What becomes of one drawn clip."""
    return prepare_clip(
        ClipJob(clip=drawn_clip(folder, 40, apex=annotated), settings=PreparationSettings(**settings))  # type: ignore[arg-type]  # forwarded as they are
    )


def replayed(folder: Path) -> list[AlignedFace]:
    """Every frame of a folder as a replay tracks and aligns it."""
    aligner = FaceAligner()
    with FaceTracker() as tracker, ImageFolder(folder, frame_rate_hz=100.0) as source:
        return [aligner.push(frame, seen) for frame in source for seen in tracker.push(frame)]


def test_crops_are_those_of_a_replay_to_the_bit(filmed: Path) -> None:
    clip = drawn_clip(filmed, 40)
    faces = aligned_clip(clip, clip_frames(clip, 1.0, 0.5))
    live = replayed(filmed)
    assert [face.index for face in faces] == [40 + face.index for face in live] == list(range(40, 70))
    assert [face.time_ns for face in faces] == [face.time_ns for face in live]
    assert all(np.array_equal(face.image, other.image) for face, other in zip(faces, live, strict=True))


@pytest.mark.parametrize("recipe", ["flow-strain", "madtn"])
def test_maps_are_those_of_a_live_event_with_the_same_frames(filmed: Path, recipe: str) -> None:
    live = {40 + face.index: cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY) for face in replayed(filmed)}
    expected = feature_map(recipe, EventImages(onset=live[43], apex=live[48], offset=live[56]), (32, 24))
    clip = prepared(filmed, recipe=recipe, size=(32, 24))
    assert np.array_equal(clip.maps, expected[None])
    assert (clip.onset, clip.apexes, clip.offset, clip.apex_method) == (43, (48,), 56, "annotated")
    assert clip.findings == ()


def test_edssnets_apex_is_magnified_over_the_whole_clip(filmed: Path) -> None:
    live = {40 + face.index: cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY) for face in replayed(filmed)}
    of_two_frames = feature_map("edssnet", EventImages(onset=live[43], apex=live[48], offset=live[56]))
    clip = prepared(filmed, recipe="edssnet")
    assert np.array_equal(clip.maps[0, ..., 3:], of_two_frames[..., 3:])  # flow needs no clip
    plain = feature_map("apex", EventImages(onset=live[43], apex=live[48], offset=live[56]), (112, 112))[..., 0]
    exaggerated = np.abs(clip.maps[0, ..., 0].astype(int) - plain).mean()
    assert exaggerated > 2
    assert not np.array_equal(clip.maps[0, ..., 0], of_two_frames[..., 0])


def test_frames_around_the_clip_are_taken_by_their_numbers(tmp_path: Path) -> None:
    for number in (*range(1, 300, 2), 7, 8):
        (tmp_path / f"img{number}.jpg").touch()
    clip = drawn_clip(tmp_path, onset=101, apex=111, offset=131)
    assert list(clip_frames(clip, 0.1, 0.05)) == list(range(81, 142, 2))
    assert list(clip_frames(clip, 0.0, 0.0)) == list(range(101, 132, 2))
    assert next(iter(clip_frames(clip, 9.0, 0.0))) == 1


def test_a_face_cut_so_close_that_it_is_not_found_is_found_within_a_border(tmp_path: Path) -> None:
    scene = expression_scene()
    left, top = scene.landmarks.min(axis=0).astype(int) + 22
    right, bottom = scene.landmarks.max(axis=0).astype(int) - 22
    film_clip(tmp_path / "cut", scene, range(40, 58), cut=(slice(top, bottom), slice(left, right)))
    with FaceTracker() as tracker, ImageFolder(tmp_path / "cut", frame_rate_hz=100.0) as source:
        assert not any(tracker.push(frame) for frame in source)
    clip = prepared(tmp_path / "cut")
    assert clip.maps.shape == (1, 28, 28, 3)
    assert clip.findings == ()


# Apex and views


def test_an_apex_is_found_where_none_is_given_or_where_asked(filmed: Path) -> None:
    missing = prepared(filmed, annotated=None)
    assert missing.apex_method == "spotter"
    assert abs(missing.apexes[0] - 48) <= 1
    compared = prepared(filmed, annotated=None, missing_apex="pixel-difference")
    assert compared.apex_method == "pixel-difference"
    assert 43 < compared.apexes[0] < 56
    middle = prepared(filmed, apex="middle")
    assert (middle.apex_method, middle.apexes) == ("middle", (49,))
    anew = PreparationSettings(apex="middle", missing_apex="pixel-difference")
    assert prepare_clip(ClipJob(clip=drawn_clip(filmed, 40), settings=anew)).apex_method == "middle"


def test_views_are_further_apexes_and_never_the_onset(filmed: Path) -> None:
    beside = prepared(filmed, views="neighbours")
    assert dict(zip(beside.variants, beside.apexes, strict=True)) == {"": 48, "apex-1": 47, "apex+1": 49}
    assert beside.maps.shape == (3, 28, 28, 3)
    assert not np.array_equal(beside.maps[0], beside.maps[1])
    early = prepared(filmed, annotated=44, views="neighbours")
    assert early.variants == ("", "apex+1")
    late = prepared(filmed, annotated=56, views="neighbours")
    assert late.variants == ("", "apex-1")
    middle = prepared(filmed, annotated=None, missing_apex="middle", views="middle")
    assert dict(zip(middle.variants, middle.apexes, strict=True)) == {"": 49, "middle-1": 48, "middle-2": 50}
    annotated = prepared(filmed, annotated=45, views="middle")
    assert annotated.apexes == (45, 48, 49, 50)
