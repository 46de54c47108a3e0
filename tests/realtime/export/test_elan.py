"""ELAN's annotations, read back by pympi and checked for what ELAN itself insists on."""

import json
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest
from pympi.Elan import Eaf

from realtime.export.annotated_video import MADE_VIDEO
from realtime.export.elan import write
from realtime.export.material import read_material
from tests.realtime.export.sessions import film, with_remarks, write_session


@pytest.fixture
def written(tmp_path: Path) -> Path:
    source = film(tmp_path / "films" / "talk.mp4")
    folder = with_remarks(write_session(tmp_path / "talk", source=str(source)))
    (file,) = write(read_material(folder), tmp_path, lambda _done: None)
    return file


def spans(document: Eaf, tier: str) -> list[tuple[int, int, str]]:
    return sorted((one[0], one[1], one[2]) for one in document.get_annotation_data_for_tier(tier))


def test_kinds_faces_and_overlaps_have_tiers_of_their_own(written: Path) -> None:
    document = Eaf(str(written))
    assert spans(document, "micro") == [(1000, 1250, "1 positive"), (3000, 3250, "2 negative")]
    assert spans(document, "macro") == [(900, 3900, "3 macro")]
    assert spans(document, "micro, face 2") == [(1100, 1350, "4 surprise")]
    assert spans(document, "rejected") == [(2000, 2150, "blink")]
    assert spans(document, "rejected 2") == [(2050, 2200, "the head turned | was one after all")]
    assert spans(document, "notes") == [(4500, 4600, "=telephone rang")]
    assert spans(document, "micro: apex") == [(1100, 1101, "apex"), (3100, 3101, "apex")]
    assert "default" not in document.get_tier_names()


def test_corrected_labels_stand_beside_the_spotted_ones(written: Path) -> None:
    document = Eaf(str(written))
    assert spans(document, "micro: label") == [(1000, 1250, "positive 85%"), (3000, 3250, "negative 10%")]
    assert spans(document, "micro: corrected label") == [(3000, 3250, "轻蔑")]
    assert spans(document, "micro: note") == [(3000, 3250, 'half a smile; "really"')]
    assert spans(document, "micro: regions")[0] == (1000, 1250, "right lip corner")
    assert spans(document, "micro: action units")[0] == (1000, 1250, "AU12")


def test_it_is_what_elan_insists_on(written: Path) -> None:
    root = ElementTree.parse(written).getroot()
    times = [int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")]
    assert times == sorted(times)
    of_slot = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")}
    numbers = [one.attrib["ANNOTATION_ID"] for one in root.iter() if "ANNOTATION_ID" in one.attrib]
    assert len(numbers) == len(set(numbers))
    types = {one.attrib["LINGUISTIC_TYPE_ID"] for one in root.iter("LINGUISTIC_TYPE")}
    tiers = {tier.attrib["TIER_ID"]: tier for tier in root.iter("TIER")}
    for tier in tiers.values():
        assert tier.attrib["LINGUISTIC_TYPE_REF"] in types
        assert tier.attrib.get("PARENT_REF", "micro") in tiers
        stretches = [
            (of_slot[one.attrib["TIME_SLOT_REF1"]], of_slot[one.attrib["TIME_SLOT_REF2"]])
            for one in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        assert all(start < end for start, end in stretches)
        assert all(before[1] <= after[0] for before, after in pairwise(stretches)), tier.attrib["TIER_ID"]
    for reference in root.iter("REF_ANNOTATION"):
        assert reference.attrib["ANNOTATION_REF"] in numbers


def test_the_video_is_linked_without_a_path(written: Path, tmp_path: Path) -> None:
    (media,) = Eaf(str(written)).get_linked_files()
    assert (media["RELATIVE_MEDIA_URL"], media["MIME_TYPE"]) == ("./talk.mp4", "video/mp4")
    assert str(tmp_path) not in written.read_text()
    (tmp_path / MADE_VIDEO.format(name="talk")).write_bytes(b"made with it")
    write(read_material(tmp_path / "talk"), tmp_path, lambda _done: None)
    (media,) = Eaf(str(written)).get_linked_files()
    assert media["RELATIVE_MEDIA_URL"] == "./talk.annotated.mp4"
    assert not written.with_suffix(".bak").exists()


def test_an_empty_session_and_one_of_a_camera_have_their_tiers_too(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "talk", source="camera 0")
    for name in ("events.jsonl", "rejected.jsonl"):
        (folder / name).write_text("")
    (file,) = write(read_material(folder), tmp_path, lambda _done: None)
    document = Eaf(str(file))
    assert {"micro", "macro", "rejected", "notes"} <= set(document.get_tier_names())
    assert document.get_linked_files() == []


def test_characters_that_xml_does_not_allow_are_left_out(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "talk", source="camera 0")
    said = {"time_s": 1.0, "label": "sm\x0bile", "note": "kept\tas\nis \U0001f642\uffff"}
    about_event = {"event_id": 1, "label": "sm\x00ile", "note": "half \ud83d"}
    (folder / "remarks.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (said, about_event)))
    (folder / "title.txt").write_text("a\x1b title")
    (file,) = write(read_material(folder), tmp_path, lambda _done: None)
    document = Eaf(str(file))
    assert spans(document, "notes") == [(1000, 1100, "smile: kept\tas\nis \U0001f642")]
    assert [words for _, _, words in spans(document, "micro: corrected label")] == ["smile"]
    assert [words for _, _, words in spans(document, "micro: note")] == ["half "]
    assert ("title", "a title") in document.get_properties()
