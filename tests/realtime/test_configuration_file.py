from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from engines.errors import BadInput
from realtime.config import Settings
from realtime.configuration_file import load_configuration


@dataclass(frozen=True, kw_only=True)
class Inner:
    floor_px: float = 0.5
    mode: Literal["a", "b"] = "a"
    limit: int | None = None
    on: bool = True


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    size: tuple[int, int] = (1, 2)


def written(folder: Path, text: str) -> Path:
    path = folder / "onset.toml"
    path.write_text(text)
    return path


def test_values_of_the_file_lie_over_the_defaults(tmp_path: Path) -> None:
    path = written(tmp_path, 'size = [3, 4]\n[inner]\nfloor_px = 2\nmode = "b"\nlimit = 7\non = false\n')
    assert load_configuration(path, Outer()) == Outer(
        inner=Inner(floor_px=2.0, mode="b", limit=7, on=False), size=(3, 4)
    )


def test_what_the_file_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    assert load_configuration(written(tmp_path, "[inner]\nlimit = 1\n"), Outer()) == Outer(inner=Inner(limit=1))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "unknown key 'colour'; known here: inner, size"),
        ("[inner]\nflor_px = 1", "unknown key 'inner.flor_px'"),
        ("inner = 3", "'inner' must be a table"),
        ('[inner]\nfloor_px = "much"', "'inner.floor_px' must be of kind float"),
        ("[inner]\nfloor_px = true", "'inner.floor_px' must be of kind float"),
        ('[inner]\nmode = "c"', "'inner.mode' must be of kind"),
        ("[inner]\nlimit = 1.5", "'inner.limit' must be of kind"),
        ("[inner", "is not TOML"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(BadInput) as fault:
        load_configuration(written(tmp_path, text), Outer())
    assert named in str(fault.value)
    assert "onset.toml" in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"absent\.toml: the configuration cannot be read"):
        load_configuration(tmp_path / "absent.toml", Settings())


def test_every_setting_of_a_run_can_be_reached(tmp_path: Path) -> None:
    path = written(tmp_path, "[flow]\nwarps = 3\n[recording]\nmedia = false\n[tracking]\nmax_faces = 2\n")
    settings = load_configuration(path, Settings())
    assert settings.flow.warps == 3
    assert settings.tracking.max_faces == 2
    assert not settings.recording.media
