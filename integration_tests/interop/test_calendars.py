"""Calendars, time zones and languages, whose data come with the release."""

import datetime as dt
import zoneinfo

import pytest

pytestmark = pytest.mark.packages("python-dateutil", "tzdata")


@pytest.fixture
def own_zones():
    """Forget the time zones of the system, so that only those of tzdata remain, as on Windows."""
    zoneinfo.reset_tzpath([])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.packages("pandas")
@pytest.mark.usefixtures("own_zones")
def test_every_time_zone_can_be_used():
    import pandas as pd

    names = zoneinfo.available_timezones()
    assert len(names) > 480
    summer = pd.Timestamp("2026-07-01 12:00", tz="UTC")
    for name in sorted(names):
        local = summer.tz_convert(name)
        assert local == summer
        assert local.utcoffset() == summer.to_pydatetime().astimezone(zoneinfo.ZoneInfo(name)).utcoffset()


@pytest.mark.packages("hypothesis", "pandas")
@pytest.mark.usefixtures("own_zones")
def test_random_moments_go_around_the_world():
    import pandas as pd
    from hypothesis import given, settings
    from hypothesis import strategies as st

    moments = st.datetimes(dt.datetime(1975, 1, 1), dt.datetime(2035, 1, 1))  # noqa: DTZ001  UTC is added below

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(moments, st.timezones(no_cache=False))
    def check(moment, zone) -> None:
        utc = moment.replace(tzinfo=dt.UTC)
        there = pd.Timestamp(utc).tz_convert(zone)
        assert there.to_pydatetime().astimezone(dt.UTC) == utc
        assert there.strftime("%Y-%m-%d %H:%M:%S%z") == utc.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S%z")

    check()


@pytest.mark.packages("babel")
@pytest.mark.parametrize(
    ("name", "day", "number"),
    [
        ("de_CH", "Sonntag, 1. März 2026", "1\u2019234\u2019567.5"),
        ("fr_FR", "dimanche 1 mars 2026", "1\u202f234\u202f567,5"),
        ("ja_JP", "2026年3月1日日曜日", "1,234,567.5"),
        ("hi_IN", "रविवार, 1 मार्च 2026", "12,34,567.5"),
        ("sr_Latn", "nedelja, 1. mart 2026.", "1.234.567,5"),
    ],
)
def test_languages_have_their_data(name, day, number):
    from babel import Locale
    from babel.dates import format_date
    from babel.numbers import format_decimal, parse_decimal
    from dateutil.parser import isoparse

    locale = Locale.parse(name)
    assert format_date(isoparse("2026-03-01"), "full", locale=locale) == day
    assert format_decimal(1234567.5, locale=locale) == number
    assert float(parse_decimal(number, locale=locale)) == 1234567.5


@pytest.mark.packages("pandas")
def test_dates_are_parsed_alike():
    import pandas as pd
    from dateutil import parser

    for text, options in (
        ("2026-03-01T12:30:45.123456+05:30", {}),
        ("03/04/2026", {"dayfirst": True}),
        ("03/04/2026", {"dayfirst": False}),
        ("Thu, 5 Mar 2026 23:59:59 -0800", {}),
    ):
        ours = parser.parse(text, **options)
        assert pd.to_datetime(text, **options).to_pydatetime() == ours, text


@pytest.mark.packages("pandas")
def test_steps_of_months_and_weeks_agree():
    import pandas as pd
    from dateutil.relativedelta import FR, relativedelta

    for start in pd.date_range("2023-12-29", "2024-03-02", freq="D"):
        day = start.to_pydatetime()
        for months in (-13, -1, 1, 12):
            assert start + pd.DateOffset(months=months) == day + relativedelta(months=months)
        friday = day + relativedelta(weekday=FR(1))
        assert pd.offsets.Week(weekday=4).rollforward(start) == friday
        assert start + pd.offsets.MonthEnd(0) == day + relativedelta(day=31)


@pytest.mark.packages("pandas", "pydantic", "sqlalchemy")
def test_moments_keep_their_zone_through_models_and_databases():
    import pandas as pd
    import sqlalchemy as sa
    from pydantic import AwareDatetime, BaseModel

    class Event(BaseModel):
        when: AwareDatetime
        lasts: dt.timedelta

    moment = pd.Timestamp("2026-10-25 00:30", tz="UTC").tz_convert("Europe/Berlin")
    event = Event(when=moment.isoformat(), lasts=pd.Timedelta("1h 90s").isoformat())
    assert event.when.timestamp() == moment.timestamp()
    assert event.when.utcoffset() == dt.timedelta(hours=2)
    assert pd.Timedelta(event.lasts) == pd.Timedelta(hours=1, seconds=90)
    assert Event.model_validate_json(event.model_dump_json()) == event
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.begin() as connection:
        pd.DataFrame({"when": [moment.tz_convert("UTC").tz_localize(None)]}).to_sql(
            "e", connection, index=False
        )
        back = pd.read_sql("SELECT * FROM e", connection, parse_dates={"when": {"utc": True}})
    engine.dispose()
    assert back["when"].dt.tz_convert("Europe/Berlin").tolist() == [moment]


@pytest.mark.packages("pandas", "matplotlib", "numpy")
def test_an_axis_of_time_has_the_ticks_of_its_zone(plt):
    import numpy as np
    import pandas as pd
    from matplotlib.dates import DateFormatter, DayLocator, date2num

    hours = pd.date_range("2026-03-28", periods=72, freq="h", tz="Europe/Berlin")
    figure, axes = plt.subplots()
    (line,) = axes.plot(hours, np.arange(72))
    np.testing.assert_allclose(date2num(line.get_xdata()), date2num(hours.to_pydatetime()))
    axes.xaxis.set_major_locator(DayLocator(tz=hours.tz))
    axes.xaxis.set_major_formatter(DateFormatter("%d %H:%M", tz=hours.tz))
    figure.canvas.draw()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert {"28 00:00", "29 00:00", "30 00:00"} <= set(labels)
    # The 29th has 23 hours.
    ticks = dict(zip(labels, axes.get_xticks(), strict=True))
    assert (ticks["30 00:00"] - ticks["29 00:00"]) * 24 == pytest.approx(23)


@pytest.mark.packages("pandas", "matplotlib", "numpy")
def test_periods_and_missing_days_are_plotted(plt):
    import numpy as np
    import pandas as pd

    series = pd.Series(np.arange(24.0), index=pd.period_range("2025-01", periods=24, freq="M"))
    axes = series.plot()
    axes.figure.canvas.draw()
    assert axes.lines[0].get_xdata()[0] in {series.index[0], series.index[0].ordinal}
    low, high = axes.get_xlim()
    assert high - low == 23
    labels = [label.get_text() for label in axes.get_xticklabels() if label.get_text()]
    assert any("2025" in label for label in labels), labels
    gap = pd.Series([1, np.nan, 3], index=pd.to_datetime(["2026-01-01", "2026-01-02", "2026-02-01"]))
    _, other = plt.subplots()
    drawn = gap.plot(ax=other).lines[0].get_ydata()
    assert np.ma.count(np.ma.masked_invalid(drawn)) == 2


@pytest.mark.packages("arrow", "pandas")
def test_arrow_knows_the_same_zones():
    import arrow
    import pandas as pd

    for name in ("Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"):
        there = arrow.get("2026-01-15T12:00:00+00:00").to(name)
        assert there.datetime == pd.Timestamp("2026-01-15 12:00", tz="UTC").tz_convert(name)
        assert there.utcoffset() == pd.Timestamp("2026-01-15 12:00", tz="UTC").tz_convert(name).utcoffset()
