"""Names and manifests of engines: whatever changes the engine changes its name."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engines.errors import BadCheckpoint, BadInput
from engines.tensorrt.key import EngineKey, batch_profile, checked_capabilities, checked_precision
from engines.tensorrt.manifest import EngineManifest

KEY = EngineKey(
    model_sha256="ab" * 32,
    flavour="rtx",
    version="1.7.1.116",
    capabilities=("8.6", "8.9"),
    precision="fp32",
    profile=(1, 2, 256),
)
MANIFEST = EngineManifest(
    key=KEY,
    engine_sha256="cd" * 32,
    engine_bytes=42,
    build_seconds=2.5,
    input_name="maps",
    input_shape=(3, 28, 28),
    output_name="logits",
    output_count=3,
    created="2026-01-01T00:00:00+00:00",
    onset_version="0.1.0",
)


def test_name_is_readable_and_a_file_name() -> None:
    assert KEY.name.startswith("rtx-fp32-sm86-sm89-")
    assert len(KEY.name) == len("rtx-fp32-sm86-sm89-") + 10
    assert KEY.name == replace(KEY).name


@pytest.mark.parametrize(
    "change",
    [
        {"model_sha256": "ac" * 32},
        {"flavour": "datacenter"},
        {"version": "1.7.1.117"},
        {"capabilities": ("8.6",)},
        {"precision": "fp16"},
        {"profile": (1, 2, 128)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_the_engine_changes_its_name(change: dict[str, object]) -> None:
    assert replace(KEY, **change).name != KEY.name  # type: ignore[arg-type]  # the fields under test, by name


def test_capabilities_are_put_in_order_once_each() -> None:
    assert checked_capabilities(["12.0", "8.6", "8.9", "8.6"]) == ("8.6", "8.9", "12.0")
    assert checked_capabilities([]) == ()


@pytest.mark.parametrize("written", ["sm86", "86", "8", "8.6,8.9", "", "8.60", "0.1"])
def test_a_capability_written_otherwise_is_refused(written: str) -> None:
    with pytest.raises(BadInput, match=r"write it like 8\.9") as fault:
        checked_capabilities([written])
    assert repr(written) in str(fault.value)


def test_profile_holds_what_live_use_asks_for() -> None:
    assert batch_profile() == (1, 2, 256)
    assert batch_profile(1) == (1, 1, 1)
    for wrong in (0, -1, 100_000):
        with pytest.raises(BadInput, match=f"largest batch {wrong}: it must be from 1 to"):
            batch_profile(wrong)


def test_unknown_precision_is_named() -> None:
    assert checked_precision("fp16") == "fp16"
    with pytest.raises(BadInput, match="'int8' is unknown: use one of fp32, fp16"):
        checked_precision("int8")


def test_manifest_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    path.write_text(MANIFEST.as_json())
    assert EngineManifest.read(path) == MANIFEST


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "newer than this version reads"),
        ({"engine_sha256": "short"}, "engine_sha256 is no SHA-256 sum"),
        ({"engine_bytes": "many"}, "engine_bytes is 'many'"),
        ({"engine_bytes": True}, "engine_bytes is True"),
        ({"input_shape": [3, 28]}, "input_shape must be three whole numbers"),
        ({"key": {**json.loads(MANIFEST.as_json())["key"], "precision": "int8"}}, "precision 'int8' is none of"),
        ({"key": {**json.loads(MANIFEST.as_json())["key"], "capabilities": [8.6]}}, "capabilities must be"),
        ({"key": {}}, "lacks 'capabilities'"),
        ({"key": 7}, "key is 7"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_one_line(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "engine.json"
    path.write_text(json.dumps(json.loads(MANIFEST.as_json()) | change))
    with pytest.raises(BadCheckpoint, match="build the engine again") as fault:
        EngineManifest.read(path)
    assert said in str(fault.value)
    assert str(path) in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_manifest_that_is_no_object_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "engine.json"
    path.write_bytes(content)
    with pytest.raises(BadCheckpoint, match=r"engine\.json cannot be used") as fault:
        EngineManifest.read(path)
    assert "\n" not in str(fault.value)
