# SPDX-License-Identifier: Apache-2.0
"""Why a part draws more asleep than its mode allows: what its registers say, the dearest first.

Each cause is a sentence that names the register. Currents are the part's own figures; where the datasheet
gives none, the sentence says none. Registers tell what is switched on, not that it explains all of a current.
"""

from __future__ import annotations

from hil.boards import Board as BoardDefinition
from hil.datasheet.figures import Fact
from hil.errors import InstrumentError
from hil.firmware.image import Image
from hil.rig.part_registers import DBGMCU_CR, PORTS, PartRegisters, word, write
from hil.rig.rig import Rig
from hil.rig.states import State

_RUNS_S = 3.0
"""From the start to the look at DBGMCU: a quartz takes 2 s (DS10198 Rev 8, table 58)."""
_PULL_OHM = 40e3
"""A pin's own pull, typically (DS10198 Rev 8, I/O static characteristics)."""
_DEBUG_PINS = ("PA13", "PA14", "PA15", "PB3", "PB4")
"""SWD and JTAG, which have pulls from a reset on."""
_ANALOG = 3
_SHOWN_PINS = 6


def find_causes(rig: Rig, image: Image, registers: PartRegisters, supply_v: float) -> tuple[str, ...]:
    """What can explain a current asleep that is too high. The board is *off* or *programmed* afterwards."""
    debug = _debug_left_on(rig, image)
    told = told_by(registers, rig.config.board.definition, supply_v)
    return (*((debug,) if debug else ()), *told)


def told_by(registers: PartRegisters, board: BoardDefinition, supply_v: float) -> tuple[str, ...]:
    """The causes that a snapshot of registers names, the dearest first."""
    found = _clocks(registers, board) + _analog(registers, board) + _pins(registers, board, supply_v)
    return tuple(text for _, text in sorted(found, key=lambda cause: -cause[0]))


def _debug_left_on(rig: Rig, image: Image) -> str:
    """Whether the firmware itself sets DBGMCU_CR, which the debugger's own session hides.

    The register is cleared before the first instruction. Where the firmware leaves it so, the bus stops in
    Stop and cannot be read, which is the answer as well.
    """
    rig.to(State.PROGRAMMED, image, restart=True)
    board = rig.board
    write(board, DBGMCU_CR, 0)
    board.resume()
    rig.clock.sleep(_RUNS_S)
    try:
        value = word(board, DBGMCU_CR)
    except InstrumentError:
        value = 0
    board.abandon()
    rig.to(State.OFF) if rig.has("supply") else rig.to(State.PROGRAMMED, image, restart=True)
    modes = [mode for bit, mode in enumerate(("Sleep", "Stop", "Standby")) if value >> bit & 1]
    if not modes:
        return ""
    return (
        f"DBGMCU_CR 0x{value:X} keeps the debug domain clocked in {', '.join(modes)}: "
        "the firmware sets it (HAL_DBGMCU_EnableDBG...Mode, or a debug build)"
    )


def _clocks(registers: PartRegisters, board: BoardDefinition) -> list[tuple[float, str]]:
    fact, found = board.part.fact, []
    if registers.field("RCC_CR", 9):
        adds_a = fact("hsi16").typ_scalar()
        found.append((adds_a, f"RCC_CR.HSIKERON keeps the HSI16 on in Stop, {_current(adds_a)}"))
    if registers.field("SYST_CSR", 0, 2) == 3:
        found.append((0.0, "SysTick runs with its interrupt (SYST_CSR): in Sleep it wakes at each tick"))
    if registers.field("PWR_CR1", 14):
        found.append((0.0, "PWR_CR1.LPR is set: from low-power run the part enters Stop 1, not Stop 2"))
    backup = registers["RCC_BDCR"]
    if trouble := quartz_trouble(registers):
        found.append((0.0, trouble))
    drive = registers.field("RCC_BDCR", 3, 2)
    if backup & 1 and drive:
        adds_a = _of_list(fact("lse_by_drive"), drive) - _of_list(fact("lse_by_drive"), 0)
        found.append((adds_a, f"RCC_BDCR.LSEDRV is {drive}: the quartz is driven harder, {_current(adds_a)}"))
    if registers.field("RCC_CSR", 0):
        adds_a = fact("lsi").typ_scalar()
        found.append((adds_a, f"RCC_CSR.LSION: the LSI runs, {_current(adds_a)}"))
    return found


def quartz_trouble(registers: PartRegisters) -> str | None:
    """What is wrong with a quartz that was switched on seconds ago; None: nothing."""
    backup = registers["RCC_BDCR"]
    rtc = ("nothing", "the LSE", "the LSI", "the HSE")[registers.field("RCC_BDCR", 8, 2)]
    on, ready, rtc_on = backup & 1, backup >> 1 & 1, backup >> 15 & 1
    if not on or (ready and not (rtc_on and rtc == "the LSI")):
        return None
    state = "ready" if ready else "not ready"
    return (
        f"RCC_BDCR 0x{backup:08X}: the LSE is on and {state}, and the RTC runs on {rtc}: the quartz "
        f"{'was given up too early' if ready else 'does not start'} (2 s, DS10198 Rev 8, table 58)"
    )


def _analog(registers: PartRegisters, board: BoardDefinition) -> list[tuple[float, str]]:
    fact, found = board.part.fact, []
    bor_pvd_a = fact("bor_pvd_adder").typ_scalar()
    if registers.field("PWR_CR2", 0):
        found.append((bor_pvd_a, f"PWR_CR2.PVDE: the voltage detector is on, {_current(bor_pvd_a)}"))
    if level := registers.field("FLASH_OPTR", 8, 3):
        found.append(
            (bor_pvd_a, f"FLASH_OPTR.BOR_LEV is {level}: brown-out level raised, {_current(bor_pvd_a)}")
        )
    if monitors := registers.field("PWR_CR2", 4, 4):
        adds_a = (monitors & 3).bit_count() * fact("pvm12_adder").typ_scalar()
        adds_a += (monitors >> 2).bit_count() * fact("pvm34_adder").typ_scalar()
        found.append((adds_a, f"PWR_CR2.PVME is 0x{monitors:X}: voltage monitors are on, {_current(adds_a)}"))
    if registers.field("VREFBUF_CSR", 0):
        adds_a = _of_list(fact("vrefbuf_idda"), 0)
        found.append((adds_a, f"VREFBUF_CSR.ENVR: the reference buffer is on, {_current(adds_a)}"))
    if registers.field("ADC1_CR", 0):
        found.append((1e-5, "ADC1_CR.ADEN: the ADC is left on"))
    if registers.field("ADC_CCR", 23):
        adds_a = fact("temp_sensor").typ_scalar()
        found.append((adds_a, f"ADC_CCR.CH17SEL: the temperature sensor is on, {_current(adds_a)}"))
    if registers.field("SYSCFG_CFGR1", 8):
        found.append((1e-4, "SYSCFG_CFGR1.BOOSTEN: the booster of the analog switches is on"))
    return found


def _pins(registers: PartRegisters, board: BoardDefinition, supply_v: float) -> list[tuple[float, str]]:
    """Pulls that work against a level, and inputs that nothing holds."""
    found: list[tuple[float, str]] = []
    floating: list[str] = []
    for port in PORTS:
        modes, pulls, levels = (registers[f"GPIO{port}_{name}"] for name in ("MODER", "PUPDR", "IDR"))
        for number in range(16):
            pin = f"P{port}{number}"
            mode, pull, high = modes >> 2 * number & 3, pulls >> 2 * number & 3, levels >> number & 1
            if pin not in board.pins or mode == _ANALOG or pin in _DEBUG_PINS:
                continue
            if mode != 1 and ((pull == 1 and not high) or (pull == 2 and high)):
                way, level = ("up", "low") if pull == 1 else ("down", "high")
                adds_a = supply_v / _PULL_OHM
                found.append(
                    (
                        adds_a,
                        f"GPIO{port}_PUPDR pulls {board.named(pin)} {way} while it is {level}: "
                        f"{_current(adds_a)} through some 40 kΩ",
                    )
                )
            elif mode == 0 and pull == 0 and pin not in (board.button, board.console.rx):
                floating.append(pin)
    if floating:
        shown = ", ".join(floating[:_SHOWN_PINS]) + (" ..." if len(floating) > _SHOWN_PINS else "")
        found.append(
            (
                0.0,
                f"{len(floating)} pin(s) are digital inputs without a pull ({shown}): "
                "what nothing drives floats, and its input stage conducts; analog mode is the cure",
            )
        )
    return found


def _of_list(fact: Fact, index: int) -> float:
    """A typical figure of a fact that has several."""
    assert isinstance(fact.typ, tuple)
    return fact.typ[index]


def _current(current_a: float) -> str:
    return f"typically {current_a * 1e6:.3g} µA"
