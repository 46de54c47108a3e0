"""`report.html`: one self-contained page about one session, drawn from its folder alone."""

from realtime.report.page import write_report

__all__ = ["write_report"]
