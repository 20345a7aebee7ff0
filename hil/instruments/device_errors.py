# SPDX-License-Identifier: Apache-2.0
"""Names for the numbers in the firmware's ``ERR`` and ``NAK`` records (firmware/protocol.toml)."""

from __future__ import annotations

from hil.firmware.protocol import errors


def name_of(number: int) -> str:
    """What a number means, in a few words; an unknown one says so."""
    fault_base = errors()["FAULT"][0]
    if fault_base < number < fault_base + 16:  # the core's own exceptions (ARMv7-M, B1.5.2)
        return f"exception {number - fault_base} ended the run before"
    meanings = dict(errors().values())
    return meanings.get(number, "a number that firmware/protocol.toml does not have")
