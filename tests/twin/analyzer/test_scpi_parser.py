# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from hil.twin.analyzer.scpi_parser import (
    ChannelList,
    Character,
    MessageParser,
    Number,
    String,
    header_forms,
    parse_parameter,
    split_outside,
)
from hil.twin.analyzer.status import ScpiError


def test_header_forms_are_short_and_long_with_optional_nodes() -> None:
    assert header_forms("SENSe:CURRent[:DC]") == {
        (sense, current, *dc)
        for sense in ("SENS", "SENSE")
        for current in ("CURR", "CURRENT")
        for dc in ((), ("DC",))
    }
    assert ("VOLT",) in header_forms("[SOURce:]VOLTage[:LEVel]")
    assert ("SOURCE", "VOLTAGE", "LEV") in header_forms("[SOURce:]VOLTage[:LEVel]")


def test_header_is_relative_to_the_unit_before_it() -> None:
    parser = MessageParser()
    assert parser.unit("SENS:SWE:TINT 1e-5").header == ("SENS", "SWE", "TINT")
    assert parser.unit("POIN 10").header == ("SENS", "SWE", "POIN")
    assert parser.unit("*OPC?").header == ("*OPC",)
    assert parser.unit("POIN?").header == ("SENS", "SWE", "POIN")
    assert parser.unit(":OUTP ON").header == ("OUTP",)


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("-1.5e-3", Number(-1.5e-3, "")),
        (".5 mV", Number(0.5, "MV")),
        ("on", Character("ON")),
        ('"a;b"', String("a;b")),
        ("(@1,2:4)", ChannelList((1, 2, 3, 4))),
    ],
)
def test_parameters(text: str, parameter: object) -> None:
    assert parse_parameter(text) == parameter


@pytest.mark.parametrize(
    ("text", "code"), [("", -109), ("1.2.3", -121), ("$", -101), ('"x', -151), ("(1)", -171), ("(@a)", -171)]
)
def test_bad_parameters(text: str, code: int) -> None:
    with pytest.raises(ScpiError) as caught:
        parse_parameter(text)
    assert caught.value.code == code


def test_separators_in_quotes_and_channel_lists_do_not_separate() -> None:
    assert split_outside('A "x;y";B (@1;2)', ";") == ['A "x;y"', "B (@1;2)"]
    with pytest.raises(ScpiError):
        split_outside("A (@1", ";")
