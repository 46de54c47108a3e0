"""The dashboard as it is used: what a page shows of a live run, and two hours of running."""

from typing import Any

from demo.benchmarks import dashboard_soak, dashboard_view


def run(*, quick: bool = False) -> dict[str, Any]:
    """Watch through a browser's camera, then let it run for long.

    Args:
        quick: less of both.

    Returns:
        Figures of the live view, and of the long run.

    Raises:
        BadInput: if Chromium or Playwright is missing, or the system is not Linux.
    """
    return {"live view": dashboard_view.run(quick=quick), "soak": dashboard_soak.run(quick=quick)}


def render(result: dict[str, Any]) -> str:
    """Both as lines."""
    return f"{dashboard_view.render(result['live view'])}\n\n{dashboard_soak.render(result['soak'])}"
