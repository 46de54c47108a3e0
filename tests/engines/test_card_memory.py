"""Copies, graphs and streams: what is asked of the driver, checked without one; for real where there is a card."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engines.card_memory import CardFault, NumbaCardMemory, card_address, stream_handle

pytest.importorskip("cuda.bindings", reason="numba-cuda comes with the cuda extra")


class Driver:
    """Notes the calls; the one named fails."""

    CUstreamCaptureMode = SimpleNamespace(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL="this thread")

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> tuple[Any, ...]:
            self.calls.append((name, *arguments))
            status = Status(name == self.failing)
            return (status, *{"cuStreamEndCapture": (11,), "cuGraphInstantiate": (22,)}.get(name, ()))

        return call


class Status(int):
    name = "CUDA_ERROR_ILLEGAL_ADDRESS"


def test_copies_go_by_address_and_size() -> None:
    driver = Driver()
    memory = NumbaCardMemory(driver)
    host = np.zeros((2, 3), np.float32)
    memory.upload(host[:1], 4096, 7)
    memory.download(8192, host, 7)
    memory.copy(4096, 8192, 24, 7)
    address = host.ctypes.data
    assert driver.calls == [
        ("cuMemcpyHtoDAsync", 4096, address, 12, 7),
        ("cuMemcpyDtoHAsync", address, 8192, 24, 7),
        ("cuMemcpyDtoDAsync", 8192, 4096, 24, 7),
    ]


def test_a_recorded_graph_is_started_and_let_go() -> None:
    driver = Driver()
    memory = NumbaCardMemory(driver)
    graph = memory.record(lambda: memory.copy(1, 2, 3, 7), 7)
    graph.start(8)
    graph.close()
    assert [call[0] for call in driver.calls] == [
        "cuStreamBeginCapture",
        "cuMemcpyDtoDAsync",
        "cuStreamEndCapture",
        "cuGraphInstantiate",
        "cuGraphDestroy",
        "cuGraphLaunch",
        "cuGraphExecDestroy",
    ]
    assert driver.calls[0] == ("cuStreamBeginCapture", 7, "this thread")
    assert driver.calls[-2:] == [("cuGraphLaunch", 22, 8), ("cuGraphExecDestroy", 22)]


def test_work_that_fails_while_it_is_recorded_leaves_the_stream_usable() -> None:
    driver = Driver("cuMemcpyDtoDAsync")
    memory = NumbaCardMemory(driver)
    with pytest.raises(CardFault, match="cuMemcpyDtoDAsync gives CUDA_ERROR_ILLEGAL_ADDRESS"):
        memory.record(lambda: memory.copy(1, 2, 3, 7), 7)
    assert driver.calls[-2:] == [("cuStreamEndCapture", 7), ("cuGraphDestroy", 11)]


def test_a_graph_that_cannot_be_made_is_let_go() -> None:
    driver = Driver("cuGraphInstantiate")
    memory = NumbaCardMemory(driver)
    with pytest.raises(CardFault, match="cuGraphInstantiate"):
        memory.record(lambda: None, 7)
    assert driver.calls[-1] == ("cuGraphDestroy", 11)


def test_streams_of_any_library_have_a_handle() -> None:
    assert stream_handle(5) == 5
    assert stream_handle(SimpleNamespace(__cuda_stream__=lambda: (0, 9))) == 9
    with pytest.raises(TypeError, match="a CUDA stream is needed, not str"):
        stream_handle("stream")


@pytest.mark.gpu
def test_what_goes_to_the_card_comes_back() -> None:
    memory = NumbaCardMemory()
    memory.attach()
    stream = memory.new_stream()
    handle = stream_handle(stream)
    first, second = memory.array((3, 5)), memory.array((3, 5))
    sent, received = memory.staging((3, 5)), memory.staging((3, 5))
    sent[...], received[...] = np.arange(15).reshape(3, 5), -1
    memory.upload(sent, card_address(first), handle)
    memory.copy(card_address(first), card_address(second), sent.nbytes, handle)
    memory.download(card_address(second), received, handle)
    memory.wait(handle)
    np.testing.assert_array_equal(received, sent)
    assert card_address(first) % 256 == 0
    assert card_address(first[1:]) == card_address(first) + 20


@pytest.mark.gpu
def test_a_graph_of_the_card_runs_when_it_is_started() -> None:
    memory = NumbaCardMemory()
    memory.attach()
    stream, other = memory.new_stream(), memory.new_stream()
    handle = stream_handle(stream)
    first, second = memory.array((4,)), memory.array((4,))
    sent, received = memory.staging((4,)), memory.staging((4,))
    graph = memory.record(lambda: memory.copy(card_address(first), card_address(second), 16, handle), handle)
    for value in (1.0, 2.0):
        sent[...] = value
        memory.upload(sent, card_address(first), stream_handle(other))
        graph.start(stream_handle(other))
        mark = memory.new_mark()
        memory.set_mark(mark, stream_handle(other))
        memory.wait_for(mark)
        memory.download(card_address(second), received, handle)
        memory.wait(handle)
        np.testing.assert_array_equal(received, sent)
    graph.close()


@pytest.mark.gpu
def test_a_call_that_the_driver_refuses_is_named() -> None:
    memory = NumbaCardMemory()
    memory.attach()
    with pytest.raises(CardFault, match="cuMemcpyDtoDAsync gives CUDA_ERROR_"):
        memory.copy(0, 0, 16, stream_handle(memory.new_stream()))
