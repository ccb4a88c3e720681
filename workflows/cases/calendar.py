"""Working days: deadlines skip weekends and the institution's holidays. Pure."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

SATURDAY = 5


def after_working_days(
    start: datetime, days: int, holidays: Collection[date] = frozenset()
) -> datetime:
    """The moment so many working days later, at the same time of day."""
    moment = start
    left = days
    while left > 0:
        moment += timedelta(days=1)
        if moment.weekday() < SATURDAY and moment.date() not in holidays:
            left -= 1
    return moment
