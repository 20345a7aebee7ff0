# SPDX-License-Identifier: Apache-2.0
"""The instrument's drive: data logs, what they are exported to, and the MMEMory commands."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from hil.twin.analyzer.commands import Call, CommandTable, real
from hil.twin.analyzer.dlog import DISK_BYTES, Dlog
from hil.twin.analyzer.status import ScpiError

_PATH = re.compile(r'((?P<drive>internal|external):)?[\\/]*(?P<name>[^\\/:*?"<>|]{1,200})', re.IGNORECASE)

_HEADER_LINES = 6
"""Lines above the names of the columns in an exported log, as programs that read such files skip them. Their
wording is an ASSUMPTION."""

_DLOG_EXTENSION, _CSV_EXTENSION = ".dlog", ".csv"


def file_name(text: str, extension: str = "") -> str:
    r"""The file that a path such as ``internal:\data1.dlog`` names, in lower case.

    The drive may be left out, slashes may lean either way.

    Raises:
        ScpiError: -257 not a name, -252 on the external drive, where no stick is plugged in.
    """
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise ScpiError(-257, text[:40])
    if (match["drive"] or "internal").lower() == "external":
        raise ScpiError(-252, "no memory stick in the front panel")
    name = match["name"].lower()
    return name if "." in name or not extension else name + extension


class Files:
    """The internal drive. The log shown last is the one that is exported and fetched."""

    def __init__(self) -> None:
        self._files: dict[str, Callable[[], bytes]] = {}
        self._sizes: dict[str, int] = {}
        self.shown: Dlog | None = None

    @property
    def free_bytes(self) -> int:
        """Room on the drive."""
        return DISK_BYTES - sum(self._sizes.values())

    def store(self, name: str, log: Dlog) -> None:
        """A log is complete."""
        self._put(name, lambda: dlog_bytes(log), log.setup.bytes)
        self.shown = log

    def _put(self, name: str, contents: Callable[[], bytes], size: int) -> None:
        free = self.free_bytes + self._sizes.get(name, 0)
        if size > free:
            raise ScpiError(-254, f"{name} takes {size} bytes, {free} are free")
        self._files[name] = contents
        self._sizes[name] = size

    def read(self, name: str) -> bytes:
        """The contents of a file. Raises ScpiError -256 if there is none of this name."""
        if name not in self._files:
            raise ScpiError(-256, name)
        return self._files[name]()

    def delete(self, name: str) -> None:
        """Remove a file. Raises ScpiError -256 if there is none of this name."""
        if name not in self._files:
            raise ScpiError(-256, name)
        del self._files[name]
        del self._sizes[name]

    def register(self, commands: CommandTable, look: Callable[[], None]) -> None:
        """Register the MMEMory commands; ``look`` brings a log under way up to date."""

        def export(call: Call) -> None:
            name = file_name(call.string(), _CSV_EXTENSION)
            look()
            if self.shown is None:
                raise ScpiError(-230, "no log to export; INITiate:DLOG comes first")
            contents = csv_bytes(self.shown)
            self._put(name, lambda: contents, len(contents))

        def data(call: Call) -> bytes:
            name = file_name(call.string())
            look()
            contents = self.read(name)
            count = str(len(contents))
            return f"#{len(count)}{count}".encode("ascii") + contents

        commands.command("MMEMory:EXPort:DLOG", export)
        commands.query("MMEMory:DATA", data)
        commands.command("MMEMory:DELete", lambda call: self.delete(file_name(call.string())))


def csv_bytes(log: Dlog) -> bytes:
    """A log as the instrument exports it: six lines about it, the columns' names, a line for each record."""
    interval_s = log.setup.period_ps * 1e-12
    about = [
        "Keysight Technologies N6705C data log",
        f"Sample interval (s),{real(interval_s)}",
        f"Samples,{len(log.values)}",
        f"Trigger sample,{log.trigger_record}",
        "Channel,1",
        "Model,N6781A",
    ]
    assert len(about) == _HEADER_LINES
    lines = [*about, ",".join(["Sample", *log.columns])]
    lines += [
        f"{index}," + ",".join(real(value) for value in row) for index, row in enumerate(log.values.tolist())
    ]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def dlog_bytes(log: Dlog) -> bytes:
    """A log as the instrument keeps it: a description in XML, eight bytes, the values as big-endian floats.

    As far as free readers of the format use it (the dlog-viewer of D. Friesel): voltage before current in
    each record. The eight bytes are zero here; their meaning is not known to us.
    """
    setup = log.setup
    description = (
        "<dlog>\n"
        '<channel id="1">\n<ident><model>N6781A</model></ident>\n'
        f"<sense_curr>{setup.current:d}</sense_curr>\n<sense_volt>{setup.voltage:d}</sense_volt>\n</channel>\n"
        f"<frame>\n<tint>{setup.period_ps * 1e-12:.9g}</tint>\n<time>{round(setup.time_s)}</time>\n"
        f"<sense_minmax>{setup.extremes:d}</sense_minmax>\n</frame>\n"
        "</dlog>\n"
    )
    return description.encode("ascii") + bytes(8) + log.values.astype(np.dtype(">f4")).tobytes()
