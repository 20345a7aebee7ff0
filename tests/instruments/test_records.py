# SPDX-License-Identifier: Apache-2.0
"""The console's record format, and what becomes of everything that is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import DeviceError
from hil.instruments.records import Record, RecordParser, command_line, crc16_ccitt_false


def line(seq: int, text: str = "ANOM score=12") -> bytes:
    body = f"{seq} {text}".encode()
    return b"@" + body + b"*%04X\r\n" % crc16_ccitt_false(body)


def test_checksum_is_crc16_ccitt_false() -> None:
    # The check value of CRC-16/CCITT-FALSE (CRC-16/IBM-3740) in the catalogue of parametrised CRC algorithms.
    assert crc16_ccitt_false(b"123456789") == 0x29B1


def test_record_with_its_fields() -> None:
    parser = RecordParser()
    (record,) = parser.feed(line(0, "BOOT fw=1 model=00c0ffee reset=1c"), 2.5, 2.4)
    assert (record.seq, record.kind, record.received_s, record.not_before_s) == (0, "BOOT", 2.5, 2.4)
    assert record.integer("fw") == 1
    assert record.integer("model", 16) == 0xC0FFEE


@pytest.mark.parametrize("key", ["absent", "text"])
def test_a_field_that_is_no_integer_is_the_devices_fault(key: str) -> None:
    with pytest.raises(DeviceError, match=f"read {key}"):
        Record(0, "ANOM", {"text": "x"}, 0.0, 0.0).integer(key)


@pytest.mark.parametrize(
    ("data", "records", "garbage", "lost", "repeated"),
    [
        (line(0) + line(1) + line(2), 3, 0, 0, 0),
        (line(0) + line(3), 2, 0, 2, 0),
        (line(5), 1, 0, 0, 0),  # listening started late
        (line(4) + line(0), 2, 0, 0, 0),  # a restart
        (line(4) + line(4), 2, 0, 0, 1),
        (line(4) + line(3), 2, 0, 0, 1),
        (line(0).replace(b"score=12", b"score=13"), 0, 1, 0, 0),
        (line(0) + b"noise\r\n" + line(1), 2, 1, 0, 0),
        (line(0)[:9] + line(0), 1, 1, 0, 0),  # cut by a reset in the middle of a record
        (b"\r\n\n" + line(0), 1, 0, 0, 0),
        (b"\xff" * 5000 + b"\n" + line(0), 1, 1, 0, 0),
        (line(0, "anom score=1"), 0, 1, 0, 0),
        (line(0, "ANOM score"), 0, 1, 0, 0),
    ],
)
def test_counts(data: bytes, records: int, garbage: int, lost: int, repeated: int) -> None:
    parser = RecordParser()
    assert len(parser.feed(data, 0.0, 0.0)) == records
    assert (parser.garbage_lines, parser.lost_records, parser.repeated_records) == (garbage, lost, repeated)


@given(st.lists(st.one_of(st.binary(max_size=600), st.integers(0, 5).map(line)), max_size=8))
def test_whatever_arrives_is_taken(chunks: list[bytes]) -> None:
    whole, pieces = RecordParser(), RecordParser()
    data = b"".join(chunks)
    together = whole.feed(data, 0.0, 0.0)
    apart = [record for i in range(len(data)) for record in pieces.feed(data[i : i + 1], 0.0, 0.0)]
    assert [record.seq for record in apart] == [record.seq for record in together]
    assert pieces.lost_records == whole.lost_records
    assert len(together) <= data.count(b"@")
    assert bool(whole.garbage_lines) == bool(pieces.garbage_lines)


@given(st.binary(max_size=300).filter(lambda noise: b"\n" not in noise and b"@" not in noise))
def test_noise_does_not_hide_the_next_record(noise: bytes) -> None:
    parser = RecordParser()
    assert len(parser.feed(noise + b"\n" + line(0), 0.0, 0.0)) == 1


def test_a_command_is_a_line_with_its_checksum() -> None:
    # CRC-16/CCITT-FALSE by bitwise division, as the catalogue of parametrised CRC algorithms defines it.
    body, crc = b"7 SET period_ms=2000", 0xFFFF
    for byte in body:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    assert command_line(7, "SET", {"period_ms": 2000}) == b"$" + body + f"*{crc:04X}\n".encode()
    assert command_line(0, "INFO", {}).startswith(b"$0 INFO*")


@pytest.mark.parametrize(
    ("seq", "verb", "fields"),
    [
        (1, "info", {}),
        (1, "INFO now", {}),
        (1, "SET", {"period_ms": "1 2"}),
        (1, "SET", {"period_ms": ""}),
        (1, "SET", {"period_ms": "1*2"}),
        (1, "SET", {"Period": 1}),
        (-1, "INFO", {}),
        (0xFFFF_FFFF, "INFO", {}),
    ],
)
def test_what_a_line_cannot_carry_is_refused(seq: int, verb: str, fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is no command"):
        command_line(seq, verb, fields)


def test_stray_bytes_before_a_record_are_no_garbage() -> None:
    parser = RecordParser()
    assert len(parser.feed(b"\x00" + line(0) + b"\xfe\xff" + line(1), 0.0, 0.0)) == 2
    assert (parser.garbage_lines, parser.stray_bytes) == (0, 3)


@pytest.mark.parametrize("before", [b"x", b"\x00x\x00", b"\xff" * 9])
def test_text_or_much_noise_before_a_record_is_garbage(before: bytes) -> None:
    parser = RecordParser()
    assert len(parser.feed(before + line(0), 0.0, 0.0)) == 1
    assert (parser.garbage_lines, parser.stray_bytes) == (1, 0)


def test_a_stray_byte_inside_a_record_spoils_it() -> None:
    parser = RecordParser()
    assert parser.feed(line(0).replace(b"ANOM", b"AN\x00OM"), 0.0, 0.0) == []
    assert parser.garbage_lines == 1
