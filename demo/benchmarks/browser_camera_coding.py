"""What a coding alone does to a film: every picture through the browser's own coder, in no hurry.

A call's video coder and JPEG are set against each other here on the same pictures at the same times, however busy the
machine is; what a network or a slow browser loses on the way is not part of it.
"""

from dataclasses import replace

from demo.benchmarks.browser_camera_stand import Stand, browse
from demo.benchmarks.browser_camera_take import Taken
from engines.errors import BadInput
from realtime.sources.pushed_image import ImageCoding, ImageDecoder, PushedImage

CALL_BITS_PER_S = 1_700_000
"""What Chromium gives a call's video of 640×480 pixels by itself."""


def recode(stand: Stand, film: Taken, coding: str, *, quality: float = 1.0, bits_per_s: int = 0) -> Taken:
    """A film through one of the browser's coders.

    Args:
        stand: serves the page.
        film: all of it, from its file.
        coding: "jpeg" or "vp8".
        quality: of JPEG, 0 to 1.
        bits_per_s: of VP8.

    Raises:
        BadInput: if the browser gave nothing back, or pictures that are damaged.
    """
    clip = film.clip
    stand.film = clip.path
    stand.recoded.clear()
    with browse(stand, clip.path) as page:
        page.set_default_timeout(0)
        page.evaluate(f"recode({coding!r}, {quality}, {bits_per_s}, {clip.frame_rate_hz})")
    if 0 not in stand.recoded:
        raise BadInput(f"bench browser-camera: the browser's {coding} gave nothing back; try again")
    decoder, kind, content = ImageDecoder(), _arrives_as(coding), b""
    taken = Taken(clip=clip)
    for place, original in enumerate(film.frames):
        # A call that has no bits for a picture shows the one before it once more.
        content = stand.recoded.get(place, content)
        taken.dropped += place not in stand.recoded
        height, width = original.image.shape[:2]
        image = PushedImage(
            index=place, captured_ns=original.captured_ns, coding=kind, width=width, height=height, content=content
        )
        picture = decoder.decode(image)
        if picture is None:
            raise BadInput(f"bench browser-camera: picture {place} came back damaged from {coding}; try again")
        taken.frames.append(replace(original, image=picture))
        taken.numbers.append(place)
    return taken


def _arrives_as(coding: str) -> ImageCoding:
    return "jpeg" if coding == "jpeg" else "i420"
