# SPDX-License-Identifier: Apache-2.0
"""The pyOCD probe that pyOCD's probe server offers to its clients."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from pyocd.core import exceptions
from pyocd.coresight.ap import APAddressBase
from pyocd.probe.debug_probe import DebugProbe

from hil.twin.probe import arguments
from hil.twin.probe.access_port import AhbAp
from hil.twin.probe.debug_port import DebugPort
from hil.twin.probe.memory_access import MemoryAccess
from hil.twin.probe.swd_line import SwdLine

AHB_AP_INDEX = 0
"""The STM32L476 has one access port, the AHB-AP, at index 0 (RM0351, debug support)."""

_JTAG_TO_SWD, _JTAG_TO_SWD_BITS = 0xE79E, 16
"""The select sequence of ADIv5.2, B5.2.2, least significant bit first."""


class TwinProbe(DebugProbe):  # type: ignore[misc]  # pyOCD has no type information
    """One client's probe: a debug port of its own on the shared SWD line.

    Clients do not share SELECT, TAR or a lock, so none can disturb another, and one that dies while it
    holds its lock keeps nobody out. Only pyOCD's own exceptions leave this class; the server would hang up
    on any other.
    """

    def __init__(self, line: SwdLine, unique_id: str) -> None:
        super().__init__()
        self._line = line
        self._unique_id = unique_id
        self._port = DebugPort(line, {AHB_AP_INDEX: AhbAp(line)})
        self._is_open = False
        self._protocol: DebugProbe.Protocol | None = None

    @property
    def vendor_name(self) -> str:
        """Shown by pyOCD's lists."""
        return "hil-rig"

    @property
    def product_name(self) -> str:
        """Shown by pyOCD's lists."""
        return "virtual bench"

    @property
    def unique_id(self) -> str:
        """Identifies this bench's probe."""
        return self._unique_id

    @property
    def supported_wire_protocols(self) -> Collection[DebugProbe.Protocol]:
        """SWD; JTAG pins are not wired on a NUCLEO (UM1724, CN4)."""
        return [DebugProbe.Protocol.DEFAULT, DebugProbe.Protocol.SWD]

    @property
    def wire_protocol(self) -> DebugProbe.Protocol | None:
        """SWD once connected."""
        return self._protocol

    @property
    def is_open(self) -> bool:
        """Whether the client has opened the probe."""
        return self._is_open

    @property
    def capabilities(self) -> set[DebugProbe.Capability]:
        """SWJ sequences are accepted; SELECT is left to the client."""
        return {DebugProbe.Capability.SWJ_SEQUENCE, DebugProbe.Capability.BANKED_DP_REGISTERS}

    def open(self) -> None:
        """Begin a client's session."""
        self._is_open = True

    def close(self) -> None:
        """End a client's session."""
        self._is_open = False

    def connect(self, protocol: DebugProbe.Protocol | None = None) -> None:
        """Start using SWD: the probe sends JTAG-to-SWD and a line reset, as an ST-LINK's firmware does.

        Whether a target answers shows with the first read of DPIDR.
        """
        if protocol not in (None, *self.supported_wire_protocols):
            raise exceptions.ProbeError(
                f"protocol {protocol.name if protocol else protocol}: only SWD is wired"
            )
        self._protocol = DebugProbe.Protocol.SWD
        self._line.select_swd()

    def disconnect(self) -> None:
        """Stop using SWD."""
        self._protocol = None

    def swj_sequence(self, length: int, bits: int) -> None:
        """Send a sequence: JTAG-to-SWD selects the port, a line reset changes nothing modelled here."""
        if length == _JTAG_TO_SWD_BITS and bits == _JTAG_TO_SWD:
            self._line.select_swd()

    def swd_sequence(self, sequences: Sequence[tuple[int] | tuple[int, int]]) -> tuple[int, Sequence[bytes]]:
        """Not offered, as on an ST-LINK: raises ``ProbeError``."""
        raise exceptions.ProbeError("raw SWD sequences: this probe has none; use DP and AP accesses")

    def jtag_sequence(self, cycles: int, tms: int, read_tdo: bool, tdi: int) -> int | None:
        """Not offered: JTAG is not wired. Raises ``ProbeError``."""
        raise exceptions.ProbeError("JTAG sequences: only SWD is wired")

    def swo_start(self, baudrate: float) -> None:
        """Not offered: the trace pin is not modelled. Raises ``ProbeError``."""
        raise exceptions.ProbeError("SWO: this probe does not receive it; use RTT or the console")

    def swo_stop(self) -> None:
        """Nothing to stop."""

    def swo_read(self) -> bytearray:
        """Nothing was received."""
        return bytearray()

    def set_clock(self, frequency: float) -> None:
        """Set the SWD clock in Hz."""
        self._line.set_frequency(arguments.number(frequency))

    def reset(self) -> None:
        """Pulse NRST for as long as the pyOCD options ``reset.hold_time`` and ``reset.post_delay`` say."""
        if self.session is None:
            raise exceptions.ProbeError("reset: the probe has no session to take the reset timing from")
        self._line.set_nrst(True)
        self._line.wait(self.session.options.get("reset.hold_time"))
        self._line.set_nrst(False)
        self._line.wait(self.session.options.get("reset.post_delay"))

    def assert_reset(self, asserted: bool) -> None:
        """Pull NRST low or release it."""
        self._line.set_nrst(arguments.switch(asserted))

    def is_reset_asserted(self) -> bool:
        """Whether this probe holds NRST low."""
        return self._line.nrst_asserted

    # pyOCD declares the reads with a deferred form (now=False) for probes that queue; the server never asks
    # for it.

    def read_dp(self, addr: int, now: bool = True) -> int | Callable[[], int]:
        """Read a DP register."""
        value = self._port.read(arguments.integer(addr))
        return value if now else lambda: value

    def write_dp(self, addr: int, data: int) -> None:
        """Write a DP register."""
        self._port.write(arguments.integer(addr), arguments.register_value(data))

    def read_ap(self, addr: int, now: bool = True) -> int | Callable[[], int]:
        """Read a register of the AP that SELECT names."""
        value = self._port.read_ap(arguments.integer(addr))[0]
        return value if now else lambda: value

    def write_ap(self, addr: int, data: int) -> None:
        """Write a register of the AP that SELECT names."""
        self._port.write_ap(arguments.integer(addr), [arguments.register_value(data)])

    def read_ap_multiple(
        self, addr: int, count: int = 1, now: bool = True
    ) -> Sequence[int] | Callable[[], Sequence[int]]:
        """Read a register of the AP that SELECT names ``count`` times."""
        values = self._port.read_ap(arguments.integer(addr), arguments.count(count))
        return values if now else lambda: values

    def write_ap_multiple(self, addr: int, values: Sequence[int]) -> None:
        """Write values to a register of the AP that SELECT names."""
        self._port.write_ap(arguments.integer(addr), arguments.values(values))

    def get_memory_interface_for_ap(self, ap_address: APAddressBase) -> MemoryAccess | None:
        """The probe's memory commands on the AHB-AP."""
        return MemoryAccess(self._line) if ap_address.nominal_address == AHB_AP_INDEX else None
