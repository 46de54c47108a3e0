"""Cameras that a page cannot have, in Chromium's of their own: what it says then."""

import pytest

from demo.benchmarks.browser_camera_stand import send_camera, serve
from tests.demo.dashboard.conftest import chromium


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        (("--use-fake-device-for-media-stream",), "refused"),
        (("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=0"), "missing"),
    ],
)
def test_a_camera_that_cannot_be_had_is_told_in_words(flags: tuple[str, ...], state: str) -> None:
    with serve() as stand, chromium(*flags) as browser:
        page = browser.new_page(locale="en-GB")
        page.goto(stand.url)
        page.wait_for_function("window.CameraSender !== undefined")
        send_camera(page, "any")
        told = page.evaluate("window.states")
        page.close()
    assert [one["state"] for one in told] == ["asking", state]
    assert told[-1]["detail"].endswith("then start again.")
