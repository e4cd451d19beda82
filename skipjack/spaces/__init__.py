"""Layout of observations and actions in a row, in numpy."""

from skipjack.spaces.actions import Actions
from skipjack.spaces.layout import Field, Layout

__all__ = ["Actions", "Field", "Layout"]
