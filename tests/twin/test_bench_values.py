# SPDX-License-Identifier: Apache-2.0
"""One rule for quantities in a rig file, whichever of the two processes reads the key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import QuantityError
from hil.quantity import parse
from hil.twin.bench_values import quantity
from hil.twin.errors import BenchConfigError

NUMBERS = ["5", "5.", ".5", "-2.5", "+1e-3", "1e400", "", "5,0", "0x5", "nan", "inf", "1_000"]
UNITS = ["ohm", "kohm", "kΩ", "kΩ", "Ω", "mV", "µV", "μV", "V", "V/s", "mA h", "s", "", "parsec²", "log(m)"]
SPACES = ["", " ", "  "]


def both(text: str, unit: str) -> tuple[float | None, float | None]:
    """What the controller and the virtual bench make of a text; None where they refuse it."""
    try:
        ours = parse(text, unit)
    except QuantityError:
        ours = None
    try:
        theirs = quantity({"key": text}, "key", unit, "1 V", "rig.toml: [twin]")
    except BenchConfigError:
        theirs = None
    return ours, theirs


@settings(deadline=None)  # pint is loaded by the first
@given(
    st.sampled_from(NUMBERS),
    st.sampled_from(SPACES),
    st.sampled_from(UNITS),
    st.sampled_from(["V", "ohm", "s", "C"]),
)
def test_both_read_the_same(number: str, space: str, text: str, unit: str) -> None:
    ours, theirs = both(f"{number}{space}{text}", unit)
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [(".5 mV", "V", 5e-4), ("3 kΩ", "ohm", 3e3), ("5. kohm", "ohm", 5e3), ("25 °C", "degC", 25.0)],
)
def test_what_people_write_is_read(text: str, unit: str, value: float) -> None:
    assert both(text, unit) == (value, value)


@settings(deadline=None)  # pint is loaded by the first
@given(st.text(alphabet="0123456789.eE+- mVkΩµ%/*", max_size=8))
def test_both_refuse_the_same(text: str) -> None:
    ours, theirs = both(text, "V")
    assert ours == theirs
