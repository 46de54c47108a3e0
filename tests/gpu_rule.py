"""The rule of the `gpu` marker: no card, no test, and a run for the card alone that ran nothing has failed.

A run on a machine with a card that finds every such test skipped (a driver that does not answer, a package that is
missing) would otherwise end green and prove nothing.
"""

import re

import pytest

from engines.graphics_card import NoCard, find_card

SELECTED, RAN = pytest.StashKey[int](), pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Start counting."""
    config.stash[SELECTED] = 0
    config.stash[RAN] = []


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip with the driver's reason where there is no card; last, so that deselected tests are gone."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    config.stash[SELECTED] = len(marked)
    card = find_card()
    if isinstance(card, NoCard):
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"{card.detail}; {card.remedy}"))


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Note the tests for the card that came to an end of their own, well or badly, rather than being skipped."""
    skipped = call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception)
    if call.when == "call" and not skipped and item.get_closest_marker("gpu"):
        item.config.stash[RAN].append(item.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run for the card that ran nothing on it."""
    if _ran_nothing(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why it failed."""
    config = terminalreporter.config
    if _ran_nothing(config):
        terminalreporter.write_line(
            f"-m gpu ran nothing: each of the {config.stash[SELECTED]} tests selected for the card was skipped",
            red=True,
        )


def _ran_nothing(config: pytest.Config) -> bool:
    asked = re.search(r"\bgpu\b", config.getoption("markexpr", "") or "") is not None
    collecting_only = config.getoption("collectonly", False)
    return asked and not collecting_only and config.stash[SELECTED] > 0 and not config.stash[RAN]
