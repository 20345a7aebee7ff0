# SPDX-License-Identifier: Apache-2.0
"""What people call the columns of a recording: times, counters, axes, units, rates."""

from __future__ import annotations

import re

_BRACKETED = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\])]+)[\])]\s*$")
_SUFFIX = re.compile(r"^(?P<name>.+?)[_ ](?P<unit>m?g|[mu]?V|m/s\^?2|m/s²|ms2|mps2|ms-2)$")
_SUFFIX_UNITS = {"ms2": "m/s^2", "mps2": "m/s^2", "ms-2": "m/s^2"}
_TIME = re.compile(
    r"(elapsed[_ ]?|relative[_ ]?|sample[_ ]?)?(time|date[_ ]?time|timestamp|t|zeit|temps|tiempo)"
    r"([_ ]?stamp)?([_ ](?P<unit>\w+|µs|μs))?|(?P<only>seconds|secs?|millis(?:econds)?|micros(?:econds)?)",
    re.IGNORECASE,
)
_TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "µs", "μs", "usec", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanoseconds"), "ns"),
}
_COUNTER = re.compile(
    r"|#|index|idx|i|n|no\.?|nr\.?|count(er)?|unnamed: 0|samples?([_ ]?(no|nr|number|index|id)\.?)?",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"(?:sampl\w*|rate|frequency|freq|fs|abtastrate|abtastfrequenz)\W[^\d]*?(?P<number>\d+(?:[.,]\d+)?(?:e\d+)?)\s*"
    r"(?P<unit>[kM]?Hz|[kM]?S/s|sps|samples?\s*(?:/|per)\s*s\w*)",
    re.IGNORECASE,
)
_FACTORS = {"k": 1e3, "m": 1e6}
_UNIT = re.compile(r"\bunits?\b\W*[:=;,]\s*[\"']?(?P<unit>[^\s,;\"']+)", re.IGNORECASE)
_RATE_NAMES = re.compile(
    r"fs|sr|f_?samp\w*|(sampl\w*_?)?(rate|freq\w*)(_?hz)?|samplingrate|fs_hz", re.IGNORECASE
)


def split_unit(name: str) -> tuple[str, str | None]:
    """Name and unit of "acceleration [g]", "acceleration (g)" or "acceleration_g"."""
    if match := _BRACKETED.match(name):
        return match["name"], match["unit"].strip()
    if match := _SUFFIX.match(name):
        return name, _SUFFIX_UNITS.get(match["unit"], match["unit"])
    return name, None


def is_time(name: str) -> bool:
    """Whether a column of that name, without a bracketed unit, holds times."""
    match = _TIME.fullmatch(name.strip())
    return match is not None and (match["unit"] is None or match["unit"].lower() in _TIME_UNITS)


def time_unit(name: str, bracketed: str | None) -> str | None:
    """The unit of a column of times: s, ms, us or ns; None where nothing says it.

    Raises:
        ValueError: the unit is none of these.
    """
    if bracketed is not None:
        if bracketed.lower() not in _TIME_UNITS:
            raise ValueError(bracketed)
        return _TIME_UNITS[bracketed.lower()]
    match = _TIME.fullmatch(name.strip())
    told = (match["unit"] or match["only"]) if match else None
    return _TIME_UNITS[told.lower()] if told else None


def is_counter(name: str) -> bool:
    """Whether a column of that name counts samples."""
    return _COUNTER.fullmatch(name.strip()) is not None


def stated_rate_hz(line: str) -> float | None:
    """The sampling rate in a line such as "# Sample rate: 4000 Hz"."""
    match = _RATE.search(line)
    if match is None:
        return None
    factor = _FACTORS.get(match["unit"][0].lower(), 1.0) if match["unit"][0] in "kM" else 1.0
    return float(match["number"].replace(",", ".")) * factor


def stated_unit(line: str) -> str | None:
    """The unit in a line such as "# Unit: g"."""
    match = _UNIT.search(line)
    return match["unit"] if match else None


def names_a_rate(name: str) -> bool:
    """Whether a single number of that name is a sampling rate in hertz."""
    return _RATE_NAMES.fullmatch(name) is not None


def means(name: str, wanted: str) -> bool:
    """Whether `wanted` is the column's name, whatever the case, or the letter of its axis: x of "accX"."""
    low, asked = name.strip().lower(), wanted.strip().lower()
    if low == asked or split_unit(name)[0].strip().lower() == asked:
        return True
    if asked not in ("x", "y", "z"):
        return False
    bare = re.sub(r"[_ ](m?g|[mu]?v|m/s\^?2|m/s²|ms2|mps2|ms-2)$", "", split_unit(name)[0].strip().lower())
    return (
        re.fullmatch(rf"(a|acc\w*?|vib\w*?|axis|ch\w*?)?[_ .-]?{asked}([_ -]?(axis|achse))?", bare)
        is not None
    )
