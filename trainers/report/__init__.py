"""`report.html` of a training run: one self-contained page, and its scores as tables for a paper."""

from trainers.report.page import write_report
from trainers.report.tables import metrics_latex, metrics_markdown, write_scores

__all__ = ["metrics_latex", "metrics_markdown", "write_report", "write_scores"]
