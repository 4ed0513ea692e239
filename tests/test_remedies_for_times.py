"""Remedies for dates and lengths of time, followed to the letter."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

import anygrad
from backends import Backend
from remedies import LINE, NODES, SLOPES, refusal


def seconds_by(message: str, t: Any, numpy: Any) -> Any:
    """Return what a message makes of dates."""
    (text,) = re.findall(r"`(\(t - [^`]+)`", message)
    return eval(text, {"t": t, "numpy": numpy})


@pytest.mark.parametrize("place", ["input", "spacing[0]"])
def test_objects_that_are_dates(numpy: Any, place: str) -> None:
    """One message says all that is to be done."""
    first = datetime.datetime(2024, 2, 28, 23, 59, 58)
    seconds = [datetime.timedelta(seconds=v) for v in LINE]
    t = numpy.asarray([first + length for length in seconds])
    message = check_times(numpy, t, place)
    follow_times(numpy, seconds_by(message, t, numpy), place)


@pytest.mark.peers
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_dates_of_pandas_in_an_array(numpy: Any, zone: str | None) -> None:
    """An array of dates with a zone is one of objects, of which none is subtracted."""
    import pandas

    times = [pandas.Timestamp(2e9 + 2 * v, unit="s", tz=zone) for v in NODES]
    t = numpy.asarray(pandas.Series(times).astype(object))
    f = numpy.asarray(LINE)
    message = refusal(lambda: anygrad.derivative(f, spacing=t), "spacing")
    x = seconds_by(message, t, numpy)
    result = anygrad.derivative(f, spacing=x, edge_order=1)
    assert result.tolist() == [slope / 2 for slope in SLOPES]


@pytest.mark.peers
def test_months_of_pandas(numpy: Any) -> None:
    import pandas

    t = pandas.period_range("2026-01", periods=6, freq="M")
    message = refusal(lambda: anygrad.gradient(t), "input")
    assert "`to_timestamp()`" in message
    message = refusal(lambda: anygrad.gradient(t.to_timestamp()), "input")
    assert "`(t - t.min()) / numpy.timedelta64(1, 's')`" in message


START = "2024-02-28T23:59:58"


@pytest.mark.parametrize("place", ["input", "spacing[0]"])
@pytest.mark.parametrize("unit", ["s", "ns"])
def test_dates(numpy: Any, place: str, unit: str) -> None:
    """The message says how they become seconds."""
    seconds = numpy.asarray([0, 1, 4, 9, 16, 25]).astype("timedelta64[s]")
    t = (numpy.datetime64(START) + seconds).astype(f"datetime64[{unit}]")
    message = check_times(numpy, t, place)
    assert "`(t - t[0]) / numpy.timedelta64(1, 's')`" in message
    follow_times(numpy, (t - t[0]) / numpy.timedelta64(1, "s"), place)


@pytest.mark.parametrize("place", ["input", "spacing[0]"])
@pytest.mark.parametrize("unit", ["s", "ns"])
def test_lengths_of_time(numpy: Any, place: str, unit: str) -> None:
    t = numpy.asarray([0, 1, 4, 9, 16, 25]).astype("timedelta64[s]")
    t = t.astype(f"timedelta64[{unit}]")
    message = check_times(numpy, t, place)
    assert "/ numpy.timedelta64(1, 's')`" in message
    follow_times(numpy, t / numpy.timedelta64(1, "s"), place)


@pytest.mark.parametrize("place", ["input", "spacing[0]"])
@pytest.mark.parametrize("unit", ["M", "Y", "3M"])
def test_months_and_years(numpy: Any, place: str, unit: str) -> None:
    """They have no length in seconds, and NumPy does not divide them by one."""
    lengths = numpy.asarray([0, 1, 4, 9, 16, 25]).astype(f"timedelta64[{unit}]")
    months = {"M": 1, "Y": 12, "3M": 3}[unit]
    for t, remedy in (
        (lengths, "t / numpy.timedelta64(1, 'M')"),
        (numpy.datetime64("2000", unit) + lengths, "(t - t[0]) / numpy.timedelta64"),
    ):
        message = check_times(numpy, t, place)
        assert f"to `{remedy}" in message
        (text,) = re.findall(r"to `([^`]+)`", message)
        counted = eval(text, {"numpy": numpy, "t": t})
        follow_times(numpy, counted / months, place)


def check_times(numpy: Any, t: Any, place: str) -> str:
    if place == "input":
        return refusal(lambda: anygrad.gradient(t), place)
    return refusal(lambda: anygrad.gradient(numpy.ones(6), spacing=[t]), place)


def follow_times(numpy: Any, seconds: Any, place: str) -> None:
    if place == "input":
        assert anygrad.gradient(seconds)[0].tolist() == SLOPES
    else:
        (result,) = anygrad.gradient(2 * seconds, spacing=[seconds])
        assert result.tolist() == [2] * 6


def test_a_length_of_time_as_step(numpy: Any) -> None:
    f = numpy.asarray(LINE)
    step = numpy.timedelta64(2, "s")
    message = refusal(lambda: anygrad.gradient(f, spacing=step), "spacing")
    assert "/ numpy.timedelta64(1, 's')`" in message
    (result,) = anygrad.gradient(f, spacing=step / numpy.timedelta64(1, "s"))
    assert result.tolist() == [slope / 2 for slope in SLOPES]


def test_a_length_of_time_of_python(library: Backend) -> None:
    f = library.asarray(LINE)
    step = datetime.timedelta(seconds=2)
    message = refusal(lambda: anygrad.gradient(f, spacing=step), "spacing")
    assert "`total_seconds()`" in message
    (result,) = anygrad.gradient(f, spacing=step.total_seconds())
    assert library.tolist(result) == [slope / 2 for slope in SLOPES]


@pytest.mark.peers
@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("kind", ["DatetimeIndex", "TimedeltaIndex", "Series", "part"])
def test_times_of_pandas(numpy: Any, kind: str, zone: str | None) -> None:
    """One message says all that is to be done, where no label is 0, too."""
    pandas = pytest.importorskip("pandas")
    t = pandas.date_range("2026-10-25", periods=6, freq="2s", tz=zone)
    made = {
        "TimedeltaIndex": lambda t: t - t[0],
        "Series": pandas.Series,
        "part": lambda t: pandas.Series(t, index=range(6, 12)),
    }
    t = made.get(kind, lambda t: t)(t)
    f = numpy.asarray(LINE)
    message = refusal(lambda: anygrad.derivative(f, spacing=t), "spacing")
    conversion, taken = re.findall(r"`([^`]+)`", message)[1:]
    numbers = eval(conversion, {"t": t, "numpy": numpy})
    x = eval(f"numbers.{taken}", {"numbers": numbers})
    result = anygrad.derivative(f, spacing=x, edge_order=1)
    assert result.tolist() == [slope / 2 for slope in SLOPES]


@pytest.mark.peers
def test_times_of_astropy(numpy: Any) -> None:
    time = pytest.importorskip("astropy.time")
    f = numpy.asarray(LINE)
    dates = time.Time(60_000.0 + 2.0 * numpy.asarray(NODES), format="mjd")
    for t, since in ((dates, lambda t: (t - t[0]).to("s")), (dates - dates[0], None)):
        message = refusal(lambda t=t: anygrad.derivative(f, spacing=t), "spacing")
        assert f"`{'(t - t[0])' if since else 't'}.to('s')`" in message
        x = since(t) if since else t.to("s")
        result = anygrad.derivative(f, spacing=x, edge_order=1)
        assert (result * x[1]).value == pytest.approx(SLOPES, rel=1e-12)


def test_dates_of_python_in_a_list(numpy: Any) -> None:
    """Each refusal leads to the next step, and the last step to a result."""
    f = numpy.asarray(LINE)
    start = datetime.datetime(2024, 2, 28, 23, 59, 58)
    dates = [start + datetime.timedelta(seconds=2 * k) for k in range(6)]
    message = refusal(lambda: anygrad.gradient(f, spacing=[dates]), "spacing[0]")
    assert "Convert it to an array first" in message
    t = numpy.asarray(dates)
    message = refusal(lambda: anygrad.gradient(f, spacing=[t]), "spacing[0]")
    (result,) = anygrad.gradient(f, spacing=[seconds_by(message, t, numpy)])
    assert result.tolist() == [slope / 2 for slope in SLOPES]


@pytest.mark.parametrize("name", ["radius", "azimuth"])
def test_a_length_of_time_in_a_curved_system(numpy: Any, name: str) -> None:
    given = {"radius": 1.0, "inclination": numpy.asarray(NODES), "azimuth": 1.0}
    time = numpy.timedelta64(2, "s")
    message = refusal(lambda: anygrad.spherical(**{**given, name: time}), name)
    assert "`t / numpy.timedelta64(1, 's')`" in message
    anygrad.spherical(**{**given, name: time / numpy.timedelta64(1, "s")})


@pytest.mark.peers
def test_coordinates_that_are_no_numbers_without_a_list(numpy: Any) -> None:
    """The list was all that the message asked for, and then refused in its turn."""
    import pandas

    f = numpy.asarray(LINE)
    dates = pandas.date_range(START, periods=6, freq="s")
    for t in (dates, dates.to_numpy(), dates - dates[0]):
        message = refusal(lambda t=t: anygrad.gradient(f, spacing=t), "spacing")
        assert "`spacing=[x]`" in message
        (text,) = re.findall(r"to `(\(?t [^`]+)`", message)
        x = eval(text, {"t": t, "numpy": numpy})
        x = x.to_numpy() if "`to_numpy()`" in message else x
        assert anygrad.gradient(f, spacing=[x])[0].tolist() == SLOPES
    column = pandas.Series(NODES)
    message = refusal(lambda: anygrad.gradient(f, spacing=column), "spacing")
    assert message.endswith("`spacing=[x]`. Pass its values, with `to_numpy()`.")
