"""The engine view in a real Chromium: cards, an engine built and listed, a choice that is refused, an archive added."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demo.dashboard import engine_desk
from demo.dashboard.engine_records import Machine
from engines.checkpoint import WEIGHTS_FILE
from engines.graphics_card import NoCard, find_card
from engines.tensorrt.build import BuildStopped
from tests.demo.dashboard.conftest import WAIT_MS, Served, opened_page, serving
from tests.demo.dashboard.test_engines_desk import packed
from tests.engines.stand_in_checkpoint import stand_in_checkpoint
from tests.engines.tensorrt.conftest import rtx

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["rtx"]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def _patient(browser: "Browser") -> None:
    """What is expected may come late on a machine that is busy."""
    from playwright.sync_api import expect

    assert browser.is_connected()
    expect.set_options(timeout=WAIT_MS)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    for name in ("mine", "damaged"):
        stand_in_checkpoint(tmp_path / "data" / "checkpoints" / name)
    (tmp_path / "data" / "checkpoints" / "damaged" / WEIGHTS_FILE).write_bytes(b"x")
    with serving(tmp_path / "data") as dashboard:
        yield dashboard


@pytest.fixture
def engines(browser: "Browser", served: Served) -> Iterator["Page"]:
    with opened_page(browser, served.url) as page:
        _open(page)
        yield page


def _open(page: "Page") -> None:
    page.get_by_role("tab").nth(3).click()
    page.wait_for_selector("onset-engines .item")


def test_the_card_says_what_a_checkpoint_must_not_be_used_for(engines: "Page") -> None:
    from playwright.sync_api import expect

    card = engines.get_by_role("tabpanel", name="Card")
    expect(card).to_contain_text("it is not a lie detector and must not decide about anyone")
    expect(card.get_by_role("row", name="real smic")).to_contain_text("0.669")
    expect(card).to_contain_text("297,579")
    engines.get_by_role("button", name="damaged", exact=False).first.click()
    expect(card.get_by_role("alert")).to_have_text(re.compile(f"^{re.escape(WEIGHTS_FILE)} differs from the SHA-256"))
    expect(engines.get_by_role("button", name="Use damaged")).to_be_disabled()


@pytest.mark.usefixtures("rtx")
def test_an_engine_for_another_machine_is_built_and_listed(engines: "Page", served: Served) -> None:
    from playwright.sync_api import expect

    engines.locator("[data-checkpoint=mine]").click()
    engines.get_by_role("tab", name="TensorRT engines").click()
    build = engines.get_by_role("button", name="Build engine")
    if isinstance(find_card(), NoCard):
        expect(build).to_be_disabled()
    engines.get_by_role("checkbox", name="8.9").check()
    engines.get_by_role("radio", name="fp16").check()
    build.click()
    row = engines.locator("onset-engines tr[data-engine]")
    expect(row).to_contain_text("fp16")
    expect(row).to_contain_text("8.9")
    expect(row).to_contain_text("TensorRT for RTX")
    expect(engines.locator("onset-engines .job.done")).to_contain_text("Built in ")
    (manifest,) = (served.house.data.checkpoints / "mine" / "engines").glob("*.json")
    assert row.get_attribute("data-engine") == manifest.stem
    if isinstance(find_card(), NoCard):
        expect(row).to_contain_text("not here")
    engines.locator("onset-engines .job summary").click()
    expect(engines.get_by_label("Log of the build")).to_contain_text("reading the graph")


def test_what_cannot_run_says_why_and_the_old_choice_is_kept(engines: "Page", served: Served) -> None:
    from playwright.sync_api import expect

    engines.locator("[data-checkpoint=mine]").click()
    engines.locator("onset-engines input[value=onnxruntime]").check()
    engines.get_by_role("button", name="Use mine").click()
    expect(engines.locator("onset-engines .message")).to_contain_text("The next run takes mine on onnxruntime.")
    expect(engines.locator("onset-engines .now")).to_contain_text("ONNX Runtime")
    # No engine was built for it, whatever card and TensorRT are here.
    engines.locator("onset-engines input[value=tensorrt]").check()
    engines.get_by_role("button", name="Use mine").click()
    expect(engines.locator("onset-engines .message.fault")).to_contain_text(re.compile("TensorRT|tensorrt"))
    expect(engines.locator("onset-engines .now")).to_contain_text("mine · onnxruntime")
    assert (served.house.chosen.checkpoint, served.house.chosen.backend) == ("mine", "onnxruntime")


def test_an_archive_is_added_and_shown(engines: "Page", served: Served, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    archive = packed(tmp_path / "added.zip", served.house.data.checkpoints / "mine")
    engines.locator("onset-engines input[type=file]").set_input_files(archive)
    added = engines.locator("[data-checkpoint=added]")
    expect(added).to_have_attribute("aria-pressed", "true")
    (tmp_path / "no.zip").write_text("no archive")
    engines.locator("onset-engines input[type=file]").set_input_files(tmp_path / "no.zip")
    expect(engines.locator("onset-engines .job.failed")).to_contain_text("no.zip is no zip archive")
    expect(engines.locator("onset-engines .item")).to_have_count(4)


def test_it_speaks_chinese_and_fits_a_phone(browser: "Browser", served: Served) -> None:
    from playwright.sync_api import expect

    with opened_page(browser, served.url, locale="zh-CN", viewport=PHONE) as page:
        _open(page)
        expect(page.locator("onset-engines")).to_contain_text("模型检查点")
        for name in ("TensorRT 引擎", "速度", "本机", "模型卡"):
            page.get_by_role("tab", name=name, exact=True).click()
            expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        # A text that was forgotten is shown as its key.
        assert "engines." not in page.locator("onset-engines").inner_text()


def test_the_keyboard_reaches_every_part(engines: "Page") -> None:
    from playwright.sync_api import expect

    engines.get_by_role("tab", name="Card").focus()
    for name in ("TensorRT engines", "Speed", "This machine"):
        engines.keyboard.press("ArrowRight")
        expect(engines.get_by_role("tab", name=name)).to_be_focused()
        expect(engines.get_by_role("tabpanel", name=name)).to_be_visible()
    engines.keyboard.press("Tab")
    engines.keyboard.press("Tab")
    expect(engines.get_by_role("button", name="Examine everything")).to_be_focused()


def test_a_build_outlives_a_reload_and_can_be_ended(
    engines: "Page", served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playwright.sync_api import expect

    def build(
        _checkpoint: object,
        *,
        on_step: Callable[[str], None],
        on_share: Callable[[float], None],
        stopped: Callable[[], bool],
        **_: object,
    ) -> None:
        on_step("optimizing graph")
        on_share(0.4)
        while not stopped():
            threading.Event().wait(0.01)
        raise BuildStopped

    monkeypatch.setattr(engine_desk, "build_engine", build)
    engines.request.post(
        f"{served.url}/onset/engines/build", data={"checkpoint": "mine", "precision": "fp32", "capabilities": ["8.9"]}
    )
    engines.reload()
    _open(engines)
    engines.get_by_role("tab", name="TensorRT engines").click()
    job = engines.locator("onset-engines .job.running")
    expect(job).to_contain_text("mine · fp32 · 8.9")
    expect(job).to_contain_text("40 %")
    expect(job).to_contain_text("optimizing graph")
    job.get_by_role("button", name="Cancel").click()
    expect(engines.locator("onset-engines .job.cancelled")).to_contain_text("nothing was written")


def test_backends_are_shown_side_by_side(engines: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    from playwright.sync_api import expect

    times = {"p50_ms": 12.5, "p95_ms": 20.0}
    ran = {"engine": "ONNX Runtime", "flow": "cpu", "map": times, "event": times, "maps_per_second": 1234.0}
    rows = [
        {"backend": "onnxruntime", "reason": "", "largest_difference": 0.0, **ran},
        {"backend": "tensorrt", "reason": "backend tensorrt cannot run here: no card"},
    ]
    machine = {"cores": 2, "load": 1.5}
    monkeypatch.setattr(
        engine_desk,
        "compare_backends",
        lambda checkpoint, **_: {"checkpoint": checkpoint.name, "rows": rows, "batch": 64, "machine": machine},
    )
    engines.locator("[data-checkpoint=mine]").click()
    engines.get_by_role("tab", name="Speed").click()
    engines.get_by_role("button", name="Measure").click()
    here, away = (engines.locator(f"tr[data-backend={name}]") for name in ("onnxruntime", "tensorrt"))
    expect(here).to_contain_text("12.5 ms (p95 20.0 ms)")
    expect(here).to_contain_text("1,234 maps/s")
    expect(away).to_contain_text("backend tensorrt cannot run here: no card")
    engines.locator("[data-checkpoint=default]").click()
    expect(here).to_have_count(0)  # those were another checkpoint's


def test_a_machine_without_tensorrt_says_so(
    browser: "Browser", served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playwright.sync_api import expect

    told: dict[str, Any] = {
        "card": None,
        "no_card": "no NVIDIA driver on this machine",
        "findings": [{"name": "tensorrt", "state": "missing", "detail": "TensorRT is not installed", "remedy": "pip"}],
        "builders": [],
        "unusable": [],
    }
    monkeypatch.setattr(Machine, "record", lambda _self: told)
    with opened_page(browser, served.url) as page:
        _open(page)
        page.get_by_role("tab", name="TensorRT engines").click()
        expect(page.get_by_role("tabpanel", name="TensorRT engines")).to_contain_text("TensorRT is not installed here")
        expect(page.get_by_role("button", name="Build engine")).to_have_count(0)
