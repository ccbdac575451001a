"""The stretches of time that caps count in."""

from datetime import date, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class Window(models.TextChoices):
    """The stretch of time that a cap counts in, by the team's own calendar."""

    DAY = "day", _("day")
    MONTH = "month", _("month")
    EVER = "ever", _("ever")

    def start(self, day: date) -> date:
        """The first day of the window that holds `day`."""
        match self:
            case Window.DAY:
                return day
            case Window.MONTH:
                return day.replace(day=1)
            case Window.EVER:
                return date.min

    def next_start(self, day: date) -> date | None:
        """When the window that holds `day` is over; None for one that never is."""
        match self:
            case Window.DAY:
                return day + timedelta(days=1)
            case Window.MONTH:
                return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            case Window.EVER:
                return None
