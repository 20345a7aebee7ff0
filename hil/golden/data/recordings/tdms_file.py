# SPDX-License-Identifier: Apache-2.0
"""TDMS files, as LabVIEW and NI's DAQ software write them."""

from __future__ import annotations

import logging
import struct
from collections.abc import Mapping
from pathlib import Path

from hil.golden.data.recordings.channel import Channel, not_installed, refused

_DAMAGED = (
    ValueError,
    LookupError,
    EOFError,
    struct.error,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    NotImplementedError,
)
"""What npTDMS raises for files that are none, as planted damage shows."""


def read_tdms(file: Path) -> list[Channel]:
    """The channels of `file`, named group/channel; rate and unit from their waveform properties.

    Raises:
        RecordingError: the file is no TDMS file, damaged or cut off, or npTDMS is not installed.
        OSError: the file cannot be read.
    """
    try:
        from nptdms import TdmsFile
        from nptdms.log import log_manager
    except ImportError as error:
        raise not_installed(file, "nptdms") from error
    log_manager.set_level(logging.ERROR)  # what npTDMS warns of becomes an error here
    try:
        tdms = TdmsFile.read(file)
        channels = [
            Channel(
                f"{group.name}/{channel.name}",
                channel[:],
                _rate_hz(channel.properties.get("wf_increment")),
                _unit(channel.properties),
            )
            for group in tdms.groups()
            for channel in group.channels()
        ]
    except _DAMAGED as error:
        raise refused(file, f"no TDMS file or damaged ({error or type(error).__name__})") from error
    if tdms.file_status.incomplete_final_segment:
        raise refused(file, "cut off: its last segment is incomplete")
    if not channels:
        raise refused(file, "holds no channel")
    return channels


def _rate_hz(increment_s: object) -> float | None:
    if isinstance(increment_s, int | float) and increment_s > 0:
        return 1.0 / float(increment_s)
    return None


def _unit(properties: Mapping[str, object]) -> str | None:
    for name in ("unit_string", "NI_UnitDescription"):
        stated = properties.get(name)
        if isinstance(stated, str) and stated:
            return stated
    return None
