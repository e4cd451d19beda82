"""Progress and the sinks that show or keep it."""

from skipjack.report.progress import Evaluation, Progress, RunInfo, Screen, Sink
from skipjack.report.reporter import Reporter

__all__ = ["Evaluation", "Progress", "Reporter", "RunInfo", "Screen", "Sink"]
