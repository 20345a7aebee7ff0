# SPDX-License-Identifier: Apache-2.0
"""What the debug port shows of a firmware that runs: asleep or awake, its mode, crashes, resets.

Nothing is asked of the firmware. Looking does not halt the core; only at the end it is halted, for the
registers that cannot be read otherwise. An open debug session keeps the debug port alive in Stop and Standby.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hil.firmware.image import Image
from hil.instruments.protocols import Board
from hil.rig.firmware_kind import shown_text
from hil.rig.part_registers import PartRegisters, word, write
from hil.rig.rig import Rig
from hil.rig.states import State

_ICSR, _SCR = 0xE000_ED04, 0xE000_ED10
_CFSR, _HFSR = 0xE000_ED28, 0xE000_ED2C
_DHCSR, _DCRSR, _DCRDR = 0xE000_EDF0, 0xE000_EDF4, 0xE000_EDF8
_PC = 15
_S_SLEEP, _S_LOCKUP, _S_RESET_ST = 1 << 18, 1 << 19, 1 << 25
_VECTACTIVE = 0x1FF
_SLEEPDEEP = 1 << 2
"""ARMv7-M Architecture Reference Manual, B3.2 and C1.6."""
_LPMS, _LPR, _PWREN = 0x7, 1 << 14, 1 << 28
"""RM0351."""
_STOP_MODES = ("stop0", "stop1", "stop2", "standby")
"""By PWR_CR1.LPMS; from 4 on it is Shutdown (RM0351, PWR_CR1)."""
_RESETS = {
    24: "the firewall",
    25: "option bytes",
    29: "the independent watchdog",
    30: "the window watchdog",
} | {31: "an illegal low-power entry"}
"""Flags of RCC_CSR that neither a power-on nor a debugger's reset sets (RM0351, RCC_CSR)."""
_SFTRSTF = 28
"""Set by the program's own reset, and by a debugger's."""
_ENDED_BY_RESET = 3
"""The least LPMS of a mode that a reset ends: Standby and Shutdown."""

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
_SLEEP_TRIES, _SLEEP_TRY_S = 50, 0.0311
"""For a halt of a core that sleeps: 1.5 s, after looks that say how it sleeps."""
_WAITS = (0xBF30, 0xBF20)
"""WFI and WFE (ARMv7-M Architecture Reference Manual, A7.7)."""


@dataclass(frozen=True)
class Halt:
    """Where a core was stopped."""

    pc: int
    function: frozenset[str]
    """All names of the function."""
    exception: int = 0
    """Number of the active exception; 0 in thread mode."""

    @property
    def lost(self) -> bool:
        """Whether the program is lost there."""
        return bool(self.function & ERROR_SYMBOLS)

    def __str__(self) -> str:
        name = _shortest(self.function & ERROR_SYMBOLS or self.function)
        return f"{name} at 0x{self.pc:08X}" if name else f"0x{self.pc:08X}"


@dataclass(frozen=True)
class CoreLooks:
    """What was seen in the seconds after a start."""

    asleep: tuple[bool, ...]
    """Of each look."""
    deep: tuple[bool, ...]
    """SCR.SLEEPDEEP at each look."""
    exceptions: tuple[int, ...]
    """Number of the active exception at each look; 0 in thread mode."""
    resets_seen: int
    """How many looks found that the core had been reset since the look before (DHCSR.S_RESET_ST)."""
    locked_up: bool
    pwr_cr1: tuple[int | None, ...]
    """PWR_CR1 at each look; None where PWR had no clock, and so did not say it."""
    registers: PartRegisters
    """After the last look, of the halted core."""
    cfsr: int
    hfsr: int
    halts: tuple[Halt, ...]
    """Where the core was at each halt: several where no look has found it asleep, else where it waits."""
    heard: bytes
    """The last bytes on the console."""
    halted_at_wait: bool = False
    """Whether the core was halted at a WFI or WFE, so that the registers are those of its sleep."""

    @property
    def mode(self) -> str | None:
        """The mode that the core sleeps in, by its registers; None if no look found it asleep.

        In Standby the core has no power, and sleeps in no look: the flag that a wake leaves says so.
        """
        deep = [deep for asleep, deep in zip(self.asleep, self.deep, strict=True) if asleep]
        if not deep:
            return "standby" if self.left_standby else None
        if 2 * sum(deep) < len(deep):
            # A firmware may leave low-power run between its sleeps: what counts is the regulator asleep.
            asleep = [word for word in self._asleep(deep=False) if word is not None]
            low_power = sum(bool(word & _LPR) for word in asleep or [self.registers["PWR_CR1"]])
            return "lpsleep" if 2 * low_power > len(asleep) else "sleep"
        return _mode_of(self.registers["PWR_CR1"] & _LPMS)

    @property
    def deep_modes(self) -> tuple[str, ...]:
        """The modes of deep sleep in which looks have found it, where there are several by turns."""
        seen = {word & _LPMS for word in self._asleep(deep=True) if word is not None}
        return tuple(_mode_of(lpms) for lpms in sorted(seen)) if len(seen) > 1 else ()

    def _asleep(self, *, deep: bool) -> list[int | None]:
        """PWR_CR1 at the looks that found the core in deep sleep, or in the other one."""
        looks = zip(self.pwr_cr1, self.asleep, self.deep, strict=True)
        return [word for word, asleep, was_deep in looks if asleep and was_deep == deep]

    def why_reset(self) -> str | None:
        """How often and by what the part was reset, beside the debugger; None if nothing says that it was.

        A wake from Standby or Shutdown is a reset as well, and none that is meant here.
        """
        flags, lpms = self.registers["RCC_CSR"], self.registers["PWR_CR1"] & _LPMS
        seen = 0 if lpms >= _ENDED_BY_RESET or self.left_standby else self.resets_seen
        causes = [cause for bit, cause in _RESETS.items() if flags >> bit & 1]
        if not seen and not causes:
            return None
        if not causes:
            by_itself = flags >> _SFTRSTF & 1
            causes = ["the program itself" if by_itself else "a cause that the firmware has cleared"]
        times = (
            f"at least {seen} times in {LOOKS * LOOK_PERIOD_S:.1f} s"
            if seen
            else "within seconds of its start"
        )
        return f"it was reset {times}, by {', '.join(causes)} (RCC_CSR 0x{flags:08X})"

    @property
    def left_standby(self) -> bool:
        """Whether a wake from Standby is on record; a firmware that clears PWR_SR1.SBF hides it."""
        return bool(self.registers["PWR_SR1"] >> 8 & 1)

    @property
    def whereabouts(self) -> str:
        """Where a core that never sleeps is, for a sentence."""
        seen = sorted({_shortest(halt.function) for halt in self.halts if halt.function})
        return f"runs in {', '.join(seen)}" if seen else "runs where the image names no function"

    def __str__(self) -> str:
        mode = self.mode
        modes = " and ".join(self.deep_modes) or mode
        sleep = self.whereabouts if mode is None else f"sleeps in {modes} by its registers"
        text = shown_text(self.heard)
        if text:
            return f'{sleep}, says "{text}" on the console'
        return f"{sleep}, {'says nothing readable' if self.heard else 'is silent'} on the console"

    def crash(self) -> str | None:
        """Why the firmware counts as crashed; None if nothing says so."""
        # An interrupt that still comes shows another function for a while: what it returns to counts.
        halts = [halt for halt in self.halts if halt.lost or not halt.exception]
        place = f" in {(halts or self.halts)[-1]}" if self.halts else ""
        status = f"CFSR 0x{self.cfsr:08X}, HFSR 0x{self.hfsr:08X}"
        if self.locked_up:
            return f"the core is locked up{place}; {status}"
        last = self.exceptions[-1]
        if last in _EXCEPTIONS:
            return f"the core is in the exception {_EXCEPTIONS[last]}{place}; {status}"
        if halts and all(halt.lost for halt in halts):
            return f"it hangs{place}"
        return None


def look(rig: Rig, image: Image) -> CoreLooks:
    """Start ``image`` from power-on and look at it for some seconds. The board is *programmed* afterwards."""
    if rig.has("supply"):
        # RCC_CSR keeps its flags through all else. What was in the flash before runs at a power-on until it
        # is replaced, and would leave its Standby flag and its quartz.
        rig.to(State.PROGRAMMED, image)
        rig.to(State.OFF)
    rig.to(State.RUNNING, image, restart=True)
    board, clock, definition = rig.board, rig.clock, rig.config.board.definition
    words = definition.part.sleep_registers.words
    clock.sleep(SETTLING_S)
    word(board, _DHCSR)  # the reset of the start is seen, and forgotten
    status, deep, active, pwr_cr1 = [], [], [], []
    for _ in range(LOOKS):
        clock.sleep(LOOK_PERIOD_S)
        status.append(word(board, _DHCSR))
        deep.append(bool(word(board, _SCR) & _SLEEPDEEP))
        active.append(word(board, _ICSR) & _VECTACTIVE)
        has_clock = word(board, words["RCC_APB1ENR1"]) & _PWREN
        pwr_cr1.append(word(board, words["PWR_CR1"]) if has_clock else None)
    asleep = tuple(bool(word & _S_SLEEP) for word in status)
    halts: list[Halt] = []
    if not any(asleep):
        for _ in range(_HALTS):
            board.halt()
            halts.append(_halt(board, image))
            board.resume()
            clock.sleep(LOOK_PERIOD_S)
    heard = b""
    if rig.has("console"):
        rig.console.poll()
        heard = rig.console.heard
    at_wait = halt_at_wait(rig, image)
    halts.append(_halt(board, image))
    seen = CoreLooks(
        asleep=asleep,
        deep=tuple(deep),
        exceptions=tuple(active),
        resets_seen=sum(bool(seen & _S_RESET_ST) for seen in status),
        pwr_cr1=tuple(pwr_cr1),
        locked_up=bool(status[-1] & _S_LOCKUP),
        registers=PartRegisters.read(board, definition.part, definition.console.uart),
        cfsr=word(board, _CFSR),
        hfsr=word(board, _HFSR),
        halts=tuple(halts),
        heard=heard,
        halted_at_wait=at_wait,
    )
    rig.to(State.PROGRAMMED, image, restart=True)
    return seen


def halt_at_wait(rig: Rig, image: Image) -> bool:
    """Halt the core of a board that is *running*, if possible while it waits in WFI or WFE.

    Returns:
        Whether it does: the instruction before the program counter is one. A core that sleeps on the exit of
        its handlers is halted as well, and not proven to.
    """
    board = rig.board
    for _ in range(_SLEEP_TRIES):
        if word(board, _DHCSR) & _S_SLEEP:
            board.halt()
            if _before(image, _program_counter(board)) in _WAITS:
                return True
            board.resume()
        rig.clock.sleep(_SLEEP_TRY_S)
    board.halt()  # one that never sleeps may still wait: WFI falls through
    pc = _program_counter(board)
    return _before(image, pc) in _WAITS or _halfword(image, pc) in _WAITS


def _before(image: Image, pc: int) -> int | None:
    return _halfword(image, pc - 2)


def _halfword(image: Image, address: int) -> int | None:
    """An instruction of 16 bits; None where the image has none."""
    for segment in image.segments:
        at = address - segment.address
        if 0 <= at < len(segment.data) - 1:
            return int.from_bytes(segment.data[at : at + 2], "little")
    return None


def _mode_of(lpms: int) -> str:
    return _STOP_MODES[lpms] if lpms < len(_STOP_MODES) else "shutdown"


def _halt(board: Board, image: Image) -> Halt:
    """Where a halted core is."""
    pc = _program_counter(board)
    return Halt(pc, _function_at(image, pc), word(board, _ICSR) & _VECTACTIVE)


def _program_counter(board: Board) -> int:
    """The PC of a halted core."""
    write(board, _DCRSR, _PC)
    return word(board, _DCRDR)


def _function_at(image: Image, address: int) -> frozenset[str]:
    """All names of the last symbol before ``address``: weak handlers share one. "$t" is no name.

    Empty where the image has no code: an address of an exception's return, or of nothing.
    """
    symbols: Mapping[str, int] = image.symbols
    if not any(part.address <= address < part.address + len(part.data) for part in image.segments):
        return frozenset()
    below = {name: start for name, start in symbols.items() if start <= address and not name.startswith("$")}
    nearest = max(below.values(), default=None)
    return frozenset(name for name, start in below.items() if start == nearest)


def _shortest(names: frozenset[str]) -> str:
    return min(names, key=lambda name: (len(name), name), default="")
