# SPDX-License-Identifier: Apache-2.0
"""What the debug port shows of a firmware that runs: asleep or awake, its mode, crashes, resets.

Nothing is asked of the firmware. Looking does not halt the core; only at the end it is halted, for the
registers that cannot be read otherwise. An open debug session keeps the debug port alive in Stop and Standby.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from hil.firmware.image import Image
from hil.instruments.protocols import Board
from hil.rig.firmware_kind import shown_text
from hil.rig.rig import Rig
from hil.rig.states import State

_ICSR, _SCR = 0xE000_ED04, 0xE000_ED10
_CFSR, _HFSR = 0xE000_ED28, 0xE000_ED2C
_DHCSR, _DCRSR, _DCRDR = 0xE000_EDF0, 0xE000_EDF4, 0xE000_EDF8
_PC = 15
_S_SLEEP, _S_LOCKUP = 1 << 18, 1 << 19
_VECTACTIVE = 0x1FF
_SLEEPDEEP = 1 << 2
"""ARMv7-M Architecture Reference Manual, B3.2 and C1.6."""
_PWR_CR1, _LPMS, _LPR = 0x4000_7000, 0x7, 1 << 14
_RCC_APB1ENR1, _PWREN = 0x4002_1058, 1 << 28
_RCC_CSR = 0x4002_1094
"""RM0351: PWR_CR1, RCC_APB1ENR1, RCC_CSR."""
_STOP_MODES = ("stop0", "stop1", "stop2", "standby")
"""By PWR_CR1.LPMS; from 4 on it is Shutdown (RM0351, PWR_CR1)."""
_RESETS = {
    24: "the firewall",
    25: "option bytes",
    29: "the independent watchdog",
    30: "the window watchdog",
} | {31: "an illegal low-power entry"}
"""Flags of RCC_CSR that neither a power-on nor a debugger's reset sets (RM0351, RCC_CSR)."""

_EXCEPTIONS = {2: "NMI", 3: "HardFault", 4: "MemManage", 5: "BusFault", 6: "UsageFault"}
ERROR_SYMBOLS = frozenset(
    {"Error_Handler", "Default_Handler", "Infinite_Loop", "HardFault_Handler", "MemManage_Handler"}
    | {"BusFault_Handler", "UsageFault_Handler", "NMI_Handler", "Fault_Handler", "_exit", "abort"}
    | {"__assert_func", "assert_failed", "__stack_chk_fail", "k_fatal_halt", "arch_system_halt"}
)
"""Functions in which a program is lost: of ST's start-up code and HAL, newlib, GCC and Zephyr."""

LOOKS = 40
LOOK_PERIOD_S = 0.1037
"""Between two looks: 4 s in all. No fraction of common wake periods, so that it does not keep pace."""
SETTLING_S = 3.0
"""From the start to the first look: a quartz takes 2 s to start (DS10198 Rev 8, table 58)."""
_HALTS = 5


@dataclass(frozen=True)
class CoreLooks:
    """What was seen in the seconds after a start."""

    asleep: tuple[bool, ...]
    """Of each look."""
    deep: tuple[bool, ...]
    """SCR.SLEEPDEEP at each look."""
    exceptions: tuple[int, ...]
    """Number of the active exception at each look; 0 in thread mode."""
    locked_up: bool
    pwr_cr1: int
    rcc_csr: int
    cfsr: int
    hfsr: int
    functions: tuple[frozenset[str], ...]
    """Names of the function that ran at each halt; none where no look has found the core asleep."""
    heard: bytes
    """The last bytes on the console."""

    @property
    def mode(self) -> str | None:
        """The mode that the core sleeps in, by its registers; None if no look found it asleep."""
        deep = [deep for asleep, deep in zip(self.asleep, self.deep, strict=True) if asleep]
        if not deep:
            return None
        if 2 * sum(deep) < len(deep):
            return "lpsleep" if self.pwr_cr1 & _LPR else "sleep"
        lpms = self.pwr_cr1 & _LPMS
        return _STOP_MODES[lpms] if lpms < len(_STOP_MODES) else "shutdown"

    @property
    def resets(self) -> tuple[str, ...]:
        """What has reset the part since its supply came on, beside the debugger."""
        return tuple(cause for bit, cause in _RESETS.items() if self.rcc_csr >> bit & 1)

    @property
    def whereabouts(self) -> str:
        """Where a core that never sleeps is, for a sentence."""
        seen = sorted({_shortest(names) for names in self.functions if names})
        return f"runs in {', '.join(seen)}" if seen else "runs where the image names no function"

    def __str__(self) -> str:
        mode = self.mode
        sleep = self.whereabouts if mode is None else f"sleeps in {mode} by its registers"
        text = shown_text(self.heard)
        if text:
            return f'{sleep}, says "{text}" on the console'
        return f"{sleep}, {'says nothing readable' if self.heard else 'is silent'} on the console"

    def crash(self) -> str | None:
        """Why the firmware counts as crashed; None if nothing says so."""
        if self.locked_up:
            return f"the core is locked up; CFSR 0x{self.cfsr:08X}, HFSR 0x{self.hfsr:08X}"
        last = self.exceptions[-1]
        if last in _EXCEPTIONS and not self.asleep[-1]:
            return f"the core is in {_EXCEPTIONS[last]}; CFSR 0x{self.cfsr:08X}, HFSR 0x{self.hfsr:08X}"
        if self.functions and all(names & ERROR_SYMBOLS for names in self.functions):
            return f"it hangs in {_shortest(self.functions[-1] & ERROR_SYMBOLS)}"
        return None


def look(rig: Rig, image: Image) -> CoreLooks:
    """Start ``image`` from power-on and look at it for some seconds. The board is *programmed* afterwards."""
    if rig.has("supply"):
        rig.to(State.OFF)  # RCC_CSR keeps its flags through all else
    rig.to(State.RUNNING, image, restart=True)
    board, clock = rig.board, rig.clock
    clock.sleep(SETTLING_S)
    status, deep, active = [], [], []
    for _ in range(LOOKS):
        clock.sleep(LOOK_PERIOD_S)
        status.append(_word(board, _DHCSR))
        deep.append(bool(_word(board, _SCR) & _SLEEPDEEP))
        active.append(_word(board, _ICSR) & _VECTACTIVE)
    asleep = tuple(bool(word & _S_SLEEP) for word in status)
    functions: list[frozenset[str]] = []
    if not any(asleep):
        for _ in range(_HALTS):
            board.halt()
            functions.append(_function_at(image.symbols, _program_counter(board)))
            board.resume()
            clock.sleep(LOOK_PERIOD_S)
    heard = b""
    if rig.has("console"):
        rig.console.poll()
        heard = rig.console.heard
    board.halt()
    enabled = _word(board, _RCC_APB1ENR1)
    _write(board, _RCC_APB1ENR1, enabled | _PWREN)  # without its clock PWR reads as 0
    seen = CoreLooks(
        asleep=asleep,
        deep=tuple(deep),
        exceptions=tuple(active),
        locked_up=bool(status[-1] & _S_LOCKUP),
        pwr_cr1=_word(board, _PWR_CR1),
        rcc_csr=_word(board, _RCC_CSR),
        cfsr=_word(board, _CFSR),
        hfsr=_word(board, _HFSR),
        functions=tuple(functions),
        heard=heard,
    )
    rig.to(State.PROGRAMMED, image, restart=True)
    return seen


def _program_counter(board: Board) -> int:
    """The PC of a halted core."""
    _write(board, _DCRSR, _PC)
    return _word(board, _DCRDR)


def _function_at(symbols: Mapping[str, int], address: int) -> frozenset[str]:
    """All names of the last symbol before ``address``: weak handlers share one. "$t" is no name."""
    below = {name: start for name, start in symbols.items() if start <= address and not name.startswith("$")}
    nearest = max(below.values(), default=None)
    return frozenset(name for name, start in below.items() if start == nearest)


def _shortest(names: frozenset[str]) -> str:
    return min(names, key=lambda name: (len(name), name))


def _word(board: Board, address: int) -> int:
    return int(struct.unpack("<I", board.read_memory(address, 4))[0])


def _write(board: Board, address: int, value: int) -> None:
    board.write_memory(address, struct.pack("<I", value))
