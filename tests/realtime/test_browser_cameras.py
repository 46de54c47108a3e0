"""Tickets for browser cameras: unguessable, for one run, expired when nobody comes."""

import pytest

from engines.errors import BadInput
from realtime.sources.browser_cameras import BrowserCameras
from tests.realtime.pushed_images import CAMERA
from tests.realtime.test_sources_camera import HandClock


def test_a_ticket_leads_to_its_own_source() -> None:
    cameras = BrowserCameras()
    (first, one), (second, other) = cameras.offer(), cameras.offer()
    assert len({first, second}) == 2
    assert len(first) >= 32
    assert cameras.source(first) is one
    assert cameras.source(second) is other
    with pytest.raises(BadInput, match="camera ticket: unknown, expired or of a run that has ended"):
        cameras.source("guessed")


def test_a_ticket_that_nobody_uses_expires() -> None:
    clock = HandClock()
    cameras = BrowserCameras(expires_s=60.0, clock=clock)
    ticket, source = cameras.offer()
    used, running = cameras.offer()
    running.connect(CAMERA, "page")
    clock.time_ns += 61_000_000_000
    with pytest.raises(BadInput, match="expired"):
        cameras.source(ticket)
    with pytest.raises(BadInput, match="ended before the camera came"):
        source.open()
    assert cameras.source(used) is running, "one that is used does not expire"


def test_the_ticket_ends_with_its_run() -> None:
    cameras = BrowserCameras()
    ticket, source = cameras.offer()
    source.close()
    with pytest.raises(BadInput, match="a run that has ended"):
        cameras.source(ticket)


def test_closing_ends_every_run() -> None:
    cameras = BrowserCameras()
    sources = [cameras.offer()[1] for _ in range(3)]
    cameras.close()
    assert [source.state for source in sources] == ["ended"] * 3
