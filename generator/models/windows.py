"""The stretches of time that caps count in."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

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

    def resets_at(self, day: date, time_zone: str) -> datetime | None:
        """The moment in this zone at which the window that holds `day` is over; None for never.

        That is midnight, the first where there are two, and where clocks go forward at midnight
        the hour that they go to.
        """
        over = self.next_start(day)
        if over is None:
            return None
        zone = ZoneInfo(time_zone)
        midnight = datetime.combine(over, time.min, tzinfo=zone)
        # There and back: an hour that a zone leaves out becomes the one that it goes to.
        return midnight.astimezone(UTC).astimezone(zone)
