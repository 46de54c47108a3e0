"""Queues of those who listen: in order, bounded, and of the preview the newest frame only."""

from demo.dashboard.live_viewer import LiveViewer
from demo.dashboard.subscribers import CLOSING, TOO_SLOW, Subscriber, Subscribers


def test_messages_come_in_order_and_wake_each_time() -> None:
    waked: list[int] = []
    subscriber = Subscriber(lambda: waked.append(1))
    for number in range(3):
        subscriber.post({"number": number})
    assert [message["number"] for message in subscriber.take()] == [0, 1, 2]
    assert subscriber.take() == []
    assert len(waked) == 3


def test_one_that_does_not_keep_up_is_let_go_and_the_others_are_not() -> None:
    everybody = Subscribers()
    slow, quick = Subscriber(lambda: None, most_waiting=5), Subscriber(lambda: None, most_waiting=5)
    everybody.add(slow)
    everybody.add(quick)
    taken = []
    for number in range(20):
        everybody.post({"number": number})
        taken += quick.take()
    assert slow.closed == TOO_SLOW
    assert slow.take() == [], "it gets everything anew when it comes back"
    assert quick.closed is None
    assert [message["number"] for message in taken] == list(range(20))


def test_what_waits_at_the_end_can_still_be_taken() -> None:
    everybody = Subscribers()
    subscriber = Subscriber(lambda: None)
    everybody.add(subscriber)
    everybody.post({"number": 1})
    everybody.close()
    subscriber.post({"number": 2})
    assert subscriber.closed == CLOSING
    assert subscriber.take() == [{"number": 1}]
    assert len(everybody) == 0


def ended_loop() -> None:
    raise RuntimeError("Event loop is closed")


def test_a_listener_whose_loop_has_ended_disturbs_nobody() -> None:
    subscriber = Subscriber(ended_loop)
    subscriber.post({"number": 1})
    assert subscriber.take() == [{"number": 1}]


def test_a_viewer_gets_the_newest_frame_and_no_more_than_two_that_it_has_not_drawn() -> None:
    viewer = LiveViewer(lambda: None)
    told: list[int] = []
    viewer.when_wanting(lambda: told.append(1))
    assert viewer.take_picture() is None
    viewer.show(1, b"one")
    viewer.show(2, b"two")
    assert not viewer.wants_picture, "a frame waits for it already"
    assert viewer.take_picture() == b"two"
    viewer.show(3, b"three")
    assert viewer.take_picture() == b"three"
    viewer.show(4, b"four")
    assert viewer.take_picture() is None
    assert not viewer.wants_picture
    viewer.seen(3)
    assert viewer.take_picture() == b"four"
    assert len(told) == 4


def test_a_new_run_owes_nothing_to_the_old_one() -> None:
    viewer = LiveViewer(lambda: None)
    for index in (7, 8):
        viewer.show(index, b"old")
        viewer.take_picture()
    viewer.last_row = 99
    viewer.start_again()
    assert viewer.wants_picture
    assert viewer.last_row == -1
