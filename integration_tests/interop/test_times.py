"""Dates across time zones, by libraries that each have their own idea of them."""

import datetime as dt
import zoneinfo

import pytest

pytestmark = pytest.mark.packages("python-dateutil", "tzdata")

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia")


@pytest.mark.packages("pandas")
@pytest.mark.parametrize("name", ZONES)
def test_three_libraries_agree_on_every_hour_of_a_year(name):
    import pandas as pd
    from dateutil import tz

    hours = pd.date_range("2025-12-31", "2027-01-01", freq="h", tz="UTC")
    by_pandas = hours.tz_convert(name)
    zone = zoneinfo.ZoneInfo(name)
    other = tz.gettz(name) or tz.tzutc()
    for instant, local in zip(hours[::7], by_pandas[::7], strict=True):
        by_zoneinfo = instant.to_pydatetime().astimezone(zone)
        assert local.to_pydatetime().replace(tzinfo=None) == by_zoneinfo.replace(tzinfo=None)
        assert local.utcoffset() == by_zoneinfo.utcoffset()
        if not isinstance(other, tz.tzutc):
            assert instant.to_pydatetime().astimezone(other).utcoffset() == by_zoneinfo.utcoffset()


@pytest.mark.packages("pandas")
def test_clocks_that_change_are_told_apart():
    import pandas as pd

    missing = pd.Timestamp("2026-03-29 02:30")
    with pytest.raises(Exception, match="2026-03-29 02:30"):
        missing.tz_localize("Europe/Berlin")
    assert missing.tz_localize("Europe/Berlin", nonexistent="shift_forward").hour == 3
    twice = pd.Timestamp("2026-10-25 02:30")
    early, late = (twice.tz_localize("Europe/Berlin", ambiguous=summer) for summer in (True, False))
    assert late - early == pd.Timedelta(hours=1)
    python = [
        dt.datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
        for fold in (0, 1)
    ]
    assert [moment.timestamp() for moment in python] == [early.timestamp(), late.timestamp()]


@pytest.mark.packages("pandas", "matplotlib", "numpy")
def test_rules_of_recurrence_agree_and_can_be_plotted():
    import numpy as np
    import pandas as pd
    from dateutil.rrule import FR, MONTHLY, rrule
    from matplotlib.dates import date2num, num2date

    start = dt.datetime(2026, 1, 1)  # noqa: DTZ001  a calendar's day has no zone
    by_rule = list(rrule(MONTHLY, byweekday=FR(-1), dtstart=start, count=12))
    by_pandas = pd.date_range(start, periods=12, freq=pd.offsets.LastWeekOfMonth(weekday=4))
    assert by_rule == list(by_pandas.to_pydatetime())
    numbers = date2num(by_rule)
    assert np.diff(numbers).min() >= 28
    assert [moment.replace(tzinfo=None) for moment in num2date(numbers)] == by_rule


@pytest.mark.packages("babel")
def test_zones_have_names_for_people():
    from babel.dates import format_datetime, get_timezone_name
    from dateutil.parser import isoparse

    moment = isoparse("2026-07-01T12:00:00Z")
    shown = format_datetime(
        moment, "yyyy-MM-dd HH:mm", tzinfo=zoneinfo.ZoneInfo("Asia/Kathmandu"), locale="en"
    )
    assert shown == "2026-07-01 17:45"
    assert get_timezone_name("Europe/Berlin", locale="en") == "Central European Time"
