"""What a page must keep for everybody, asked of a real browser: names, contrast, the keyboard, its own sources."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

TABS = ("live", "replay", "sessions", "engines")
DRAWN = {
    "live": "onset-live canvas",
    "replay": "onset-replay *",
    "sessions": "onset-sessions .sessions:not([data-state=loading])",
    "engines": "onset-engines .item",
}
"""What each view shows once it is there."""
_FIELDS = {"combobox", "ComboBoxSelect", "listbox", "searchbox", "slider", "spinbutton", "textbox"}
OPERATED = _FIELDS | {"button", "checkbox", "link", "menuitem", "radio", "switch", "tab"}
"""Roles of what a person operates, as Chromium calls them."""
PICTURED = frozenset({"image", "img", "graphics-document"})
DECORATION = "dropdown-arrow"
"""A class of Gradio's own: a picture beside a list that has its name."""
MORE_STEPS = 60
"""Of the Tab key at most than there is to come to: past what Gradio hides, and from the page's end to its beginning."""
_CHECKS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8").strip().rstrip(";")


def show_tab(page: "Page", name: str) -> None:
    """Turn to a view and wait until it is drawn."""
    page.locator(f"#onset-tab-{name}-button").click()
    page.locator(DRAWN[name]).first.wait_for(state="attached")


def nameless(page: "Page") -> list[str]:
    """Operated things and pictures without a name that a screen reader could say, as the browser computes it."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    faults = []
    for node in nodes:
        role, name = node.get("role", {}).get("value", ""), node.get("name", {}).get("value", "")
        if node.get("ignored") or role not in OPERATED | PICTURED or str(name).strip():
            continue
        described = session.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})["node"]
        attributes = " ".join(described.get("attributes", []))
        if DECORATION not in attributes:
            faults.append(f"{role}: <{described['localName']} {attributes}>")
    session.detach()
    return faults


def poor_contrast(page: "Page") -> list[str]:
    """Texts that stand out less from their ground than WCAG 2 AA asks for: 4.5 to 1, large ones 3 to 1."""
    return _asked(page, "contrast")


def unreached_by_keyboard(page: "Page") -> list[str]:
    """What the Tab key does not come to, or comes to without showing where it is."""
    count: int = page.evaluate(f"{_CHECKS}.mark()")
    unmarked: dict[str, None] = {}
    for _ in range(count + MORE_STEPS):
        page.keyboard.press("Tab")
        if fault := page.evaluate(f"{_CHECKS}.step()"):
            unmarked[fault] = None
        if not _asked(page, "missed"):
            break
    return [*_asked(page, "missed"), *unmarked]


def wider_than_the_screen(page: "Page") -> list[str]:
    """What makes the page scroll sideways."""
    return _asked(page, "wide")


def from_elsewhere(page: "Page") -> list[str]:
    """What the page would fetch, or connect to, on another machine."""
    return _asked(page, "elsewhere")


def _asked(page: "Page", check: str) -> list[str]:
    found: list[str] = page.evaluate(f"{_CHECKS}.{check}()")
    return found
