"""What a run says on the terminal."""

from demo.run_display import described
from tests.realtime.session_fixtures import an_event


def test_an_event_is_a_line_that_says_what_moved_and_how() -> None:
    words = "right lip corner up and out, 1.8 px: AU12, one-sided"
    line = described(an_event(event_id=3, description=words))
    assert line == f"   3  micro  1.000–1.100–1.250 s  positive 85%  {words}"


def test_an_event_without_a_description_still_names_its_regions() -> None:
    assert described(an_event(label=None)).endswith("1.250 s  right lip corner  1.8 px")
