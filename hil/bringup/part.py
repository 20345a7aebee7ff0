# SPDX-License-Identifier: Apache-2.0
"""Step 8: the part answers to the probe, takes the firmware, starts it, and speaks."""

from __future__ import annotations

from hil.bringup.instruments import in_words, time_calls
from hil.bringup.session import Session
from hil.errors import ConnectError, DeviceTimeoutError, ProtocolError
from hil.rig import State

_OPTR = 0x4002_2020
_RDP_NONE = 0xAA
"""FLASH_OPTR: readout protection level 0 in the lowest byte (RM0351, option bytes)."""

_BOOT_TIMEOUT_S = 10.0
"""From reset to BOOT: the quartz takes 2 s to start (DS10198 Rev 8, table 58), the rest is an assumption."""
_LISTEN_S = 1.0
"""How long an answer may take that must not come."""
_SILENCE_S = 60.0


def start_the_part(session: Session) -> str:
    """Identity, option bytes, flash, BOOT and its crystal, the relay's contacts, a minute of the console."""
    rig = session.rig
    told = [identify_the_part(session)]
    rig.to(State.PROGRAMMED, session.image, progress=session.programming())
    told.append(f"calls {in_words(time_calls(session, 'board', rig.board.round_trip))}")
    if rig.has("console"):
        rig.to(State.RUNNING, session.image)
        told.append(_boot(session))
    rig.to(State.POWERED, session.image)
    if rig.has("debug_connection"):
        _check_contacts(session)
        told.append("relay opens all lines")
    if rig.has("console"):
        told.append(_listen(session))
    return ", ".join(told)


def identify_the_part(session: Session) -> str:
    """Which part answers to the probe, and whether it lets itself be written."""
    rig = session.rig
    board = rig.config.board.definition
    part = board.part
    rig.to(State.POWERED)
    try:
        rig.board.connect(under_reset=True)
    except (ConnectError, ProtocolError) as error:
        raise session.wrong(
            f"the probe does not reach the part ({error.message})",
            expected="an answer over SWD while the relay connects the lines",
            hint="the relay or its coil's supply is missing, its active level is wrong, or SWDIO, SWCLK and "
            f"NRST are not wired through it; without a relay connect {board.isolation_jumpers}",
        ) from error
    try:
        code = int.from_bytes(rig.board.read_memory(part.device_id_address, 4), "little")
        options = int.from_bytes(rig.board.read_memory(_OPTR, 4), "little")
    finally:
        rig.board.detach()
    if code & 0xFFF != part.device_id:
        raise session.wrong(
            f"the part is 0x{code & 0xFFF:03X}",
            expected=f"0x{part.device_id:03X}, an {part.title}",
            hint="another board is connected; check [probe] uid and [board]",
        )
    if options & 0xFF != _RDP_NONE:
        raise session.wrong(
            f"the part's readout protection is on (OPTR 0x{options:08X})",
            expected=f"0x{_RDP_NONE:02X} in its lowest byte",
            hint="take it off with STM32CubeProgrammer, which erases the flash",
        )
    return f"IDCODE 0x{code:08X}, OPTR 0x{options:08X}"


def _console(session: Session) -> str:
    console = session.rig.config.board.definition.console
    return f"{console.tx} and {console.rx}"


def _boot(session: Session) -> str:
    console = session.rig.console
    try:
        boot = console.wait_for("BOOT", _BOOT_TIMEOUT_S)
    except DeviceTimeoutError as error:
        raise session.wrong(
            f"the firmware does not report ({error.message})",
            expected="a BOOT record",
            hint=f"{_console(session)} through the relay to the ST-LINK's RX and TX, [console] port and baud",
        ) from error
    if boot.integer("lse") != 1:
        raise session.wrong(
            "the 32.768 kHz crystal does not start (BOOT says lse=0)",
            expected="lse=1",
            hint=session.rig.config.board.definition.lse_note,
        )
    return "BOOT with crystal"


def _check_contacts(session: Session) -> None:
    """With the relay at rest neither the console nor the probe reaches the part, which is supplied."""
    rig = session.rig
    with rig.open_lines():
        if rig.has("console"):
            rig.console.clear()
            rig.console.send(b"\n")  # would wake the firmware, which answers
            rig.clock.sleep(_LISTEN_S)
            rig.console.poll()
            if rig.console.records:
                raise session.wrong(
                    "the part answers over the console with the relay at rest",
                    expected="silence",
                    hint=f"wire {_console(session)} through the relay too",
                )
        try:
            rig.board.connect(under_reset=True)
        except (ConnectError, ProtocolError):
            return  # as it must be
        finally:
            rig.board.abandon()
        raise session.wrong(
            "the probe reaches the part with the relay at rest",
            expected="no answer over SWD",
            hint=f"{rig.config.board.definition.isolation_opened_by}; use the relay's normally open contacts",
        )


def _listen(session: Session) -> str:
    console = session.rig.console
    session.rig.clock.sleep(_LISTEN_S)  # what the relay's contacts made of the lines is not counted
    console.clear()
    session.say(f"listening for {_SILENCE_S:g} s")
    session.rig.clock.sleep(_SILENCE_S)
    console.poll()
    if console.garbage_lines:
        raise session.wrong(
            f"{console.garbage_lines} line(s) of garbage within {_SILENCE_S:g} s",
            expected="records, or silence",
            hint="a floating receive line: a pull-up of 100 kΩ at the ST-LINK's RX; a wrong [console] baud",
        )
    return f"{len(console.records)} record(s) and no garbage in {_SILENCE_S:g} s"
