# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil.errors import RecordingError
from hil.golden.data.recordings.csv_file import read_csv


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> list:
    file = tmp_path / "a.csv"
    file.write_bytes(text.encode(encoding))
    return read_csv(file)


def test_a_plain_column(tmp_path: Path):
    (channel,) = read(tmp_path, "0.5\n-1e-3\n2\n")
    assert (channel.name, channel.rate_hz, channel.unit) == ("column 1", None, None)
    assert channel.values.tolist() == [0.5, -1e-3, 2.0]


@pytest.mark.parametrize(
    "text",
    [
        "t,x [g],y [g]\n0,1,2\n0.001,3,4\n0.002,5,6\n",
        "# from the lab\n\nt\tx [g]\ty [g]\n0\t1\t2\n0.001\t3\t4\n\n0.002\t5\t6",
        "Zeit [ms];x (g);y (g)\n0,0;1,0;2,0\n1,0;3,0;4,0\n2,0;5,0;6,0\n",
        'Device X\nserial 12\n"t","x [g]","y [g]"\n0,1,2\n0.001,3,4\n0.002,5,6\n',
        "\ufefftime (s)   x[g]   y[g]\n0 1 2\n0.001 3 4\n0.002 5 6\n".replace("time (s)", "time(s)"),
    ],
)
def test_columns_names_units_and_times(tmp_path: Path, text: str):
    first, second = read(tmp_path, text)
    assert [first.name, second.name] == ["x", "y"]
    assert first.unit == second.unit == "g"
    assert first.values.tolist() == [1.0, 3.0, 5.0]
    assert second.values.tolist() == [2.0, 4.0, 6.0]
    assert first.times.even().rate_hz == pytest.approx(1000.0)


def test_units_in_another_encoding(tmp_path: Path):
    (channel,) = read(tmp_path, "a [m/s²]\n1\n2\n", "latin-1")
    assert channel.unit == "m/s²"


def test_rounded_times_still_give_the_rate(tmp_path: Path):
    times = np.round(np.arange(4000) / 12_000, 5)
    (channel,) = read(tmp_path, "t,a\n" + "".join(f"{time},0\n" for time in times))
    even = channel.times.even()
    assert even.rate_hz == pytest.approx(12_000, rel=1e-3)
    assert even.positions is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x\n1\n2\nthree\n4\n", "line 4: 'three' is no number"),
        ("1,2\n3,\n5,6\n", "line 2: a number is missing"),
        ("1,2\n3,4\n5\n", "line 3 has 1 columns; expected 2 as above"),
        ("a,b\nc,d\n", "no line of numbers; line 1 begins 'a,b'"),
        ("\n\n# nothing\n", "is empty"),
        ("t [h],a\n0,1\n1,2\n", "times in 'h'; expected s, ms, µs or ns"),
        (
            "time,a\n2024-01-01 00:00:00,1\n2024-01-01 00:0,2\n",
            "line 3: '2024-01-01 00:0' is no time as 2024-",
        ),
        ("\0\0\0\0", "no text"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, told: str):
    with pytest.raises(RecordingError, match=told):
        read(tmp_path, text)
