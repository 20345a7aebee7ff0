# SPDX-License-Identifier: Apache-2.0
r"""The console's lines in both directions: one record each, with a sequence number and a checksum.

A record of the part is ``@<seq> <KIND> <key>=<value> ...*<CRC>\r\n``, a command to it
``$<seq> <VERB> <key>=<value> ...*<CRC>\n``. The checksum is CRC-16/CCITT-FALSE as four upper-case
hexadecimal digits over the characters between ``@`` or ``$`` and ``*``. A record's ``seq`` counts from 0
since the part's start, a command's is the host's to choose.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hil.errors import DeviceError

_RECORD = re.compile(
    rb"@(?P<body>(?P<seq>\d{1,10}) (?P<kind>[A-Z]+)(?P<fields>(?: [a-z_]+=[!-)+-<>?A-~]+)*))"
    rb"\*(?P<crc>[0-9A-F]{4})"
)
"""Values are printable ASCII without blank, "*", "=" and "@"."""

_COMMAND = re.compile(r"[A-Z]+(?: [a-z_]+=[!-)+-<>?A-~]+)*")

SEQUENCE_MAX = 0xFFFF_FFFF
"""Largest sequence number. No command uses it: the part answers a line that it cannot read with it."""

_STRAY_BYTES_MOST = 8
"""Bytes of noise that a record may follow. Assumption: a few for each move of the lines."""
_NOISE = re.compile(rb"[^\x20-\x7E]{0,%d}" % _STRAY_BYTES_MOST)
"""What a line that moves or floats is received as: no character of a record, which are printable."""

_LONGEST_LINE = 256
"""Bytes without a line end that are kept: twice the firmware's longest record, and some."""


def crc16_ccitt_false(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xFFFF, neither reflected nor inverted."""
    return binascii.crc_hqx(data, 0xFFFF)


def command_line(seq: int, verb: str, fields: Mapping[str, object]) -> bytes:
    """The line that orders ``verb``, checksum and line end included.

    Raises:
        ValueError: the verb, a key or a value has characters that a line cannot carry, or ``seq`` is out of
            its range.
    """
    text = " ".join([verb, *(f"{key}={value}" for key, value in fields.items())])
    if not _COMMAND.fullmatch(text) or not 0 <= seq < SEQUENCE_MAX:
        raise ValueError(f"{seq} {text!r} is no command")
    body = f"{seq} {text}".encode("ascii")
    return b"$%s*%04X\n" % (body, crc16_ccitt_false(body))


@dataclass(frozen=True)
class Record:
    """One valid record."""

    seq: int
    kind: str
    fields: Mapping[str, str]
    received_s: float
    """When it was read, on the bench clock: it arrived no later."""
    not_before_s: float
    """When the port was looked at before that: the end of its line arrived no earlier. A record that nobody
    looked for may be minutes old when it is read."""

    def integer(self, key: str, base: int = 10) -> int:
        """The field ``key`` as an integer.

        Raises:
            DeviceError: the record has no such field, or it is no integer in ``base``.
        """
        try:
            return int(self.fields[key], base)
        except (KeyError, ValueError) as error:
            raise DeviceError(
                f"record {self.seq} {self.kind} has {dict(self.fields)!r}",
                where="console",
                operation=f"read {key}",
                expected=f"an integer field {key!r}",
            ) from error


class RecordParser:
    """Bytes in, records out. Whatever arrives, it never raises: what is no record is counted."""

    def __init__(self) -> None:
        self.garbage_lines = 0
        """Lines that are no valid record: a cut line, a wrong checksum, noise by the line."""
        self.stray_bytes = 0
        """Bytes of noise between two records: the receive line was moved, or floated."""
        self.lost_records = 0
        """Gaps in the sequence numbers, summed."""
        self.repeated_records = 0
        """Records whose number is not above the one before, other than a restart at 0."""
        self._pending = b""
        self._overlong = False
        self._last_seq: int | None = None

    def feed(self, data: bytes, received_s: float, not_before_s: float) -> list[Record]:
        """Add bytes that arrived between the two times; returns the records that they complete."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        records = []
        for line in lines:
            record = None if self._overlong else self._parse(line.rstrip(b"\r"), received_s, not_before_s)
            self._overlong = False
            if record is not None:
                records.append(record)
        if len(self._pending) > _LONGEST_LINE:
            self.garbage_lines += not self._overlong
            self._overlong = True
            self._pending = b""
        return records

    def _parse(self, line: bytes, received_s: float, not_before_s: float) -> Record | None:
        if not line:
            return None
        # A reset may cut a line short of its end; the next record then starts in the middle of the line.
        start = max(line.rfind(b"@"), 0)
        match = _RECORD.fullmatch(line, start)
        valid = match is not None and crc16_ccitt_false(match["body"]) == int(match["crc"], 16)
        if valid and _NOISE.fullmatch(line, 0, start):
            self.stray_bytes += start
        else:
            self.garbage_lines += start > 0 or not valid
        if match is None or not valid:
            return None
        fields = dict(item.split("=", 1) for item in match["fields"].decode("ascii").split())
        seq = int(match["seq"])
        self._check_sequence(seq)
        kind = match["kind"].decode("ascii")
        return Record(seq, kind, MappingProxyType(fields), received_s, not_before_s)

    def _check_sequence(self, seq: int) -> None:
        if self._last_seq is not None and seq != 0:  # 0 is a restart of the part
            if seq > self._last_seq:
                self.lost_records += seq - self._last_seq - 1
            else:
                self.repeated_records += 1
        self._last_seq = seq
