# SPDX-License-Identifier: Apache-2.0
"""Why a part draws more asleep than its mode allows: what its registers say, the dearest first.

Each cause is a sentence that names the register. Currents are the part's own figures; where the datasheet
gives none, the sentence says none. Registers tell what is switched on, not that it explains all of a current:
:mod:`hil.rig.explanation` holds the causes against the measured current.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hil.boards import Board as BoardDefinition
from hil.datasheet.figures import Fact
from hil.errors import InstrumentError
from hil.firmware.image import Image
from hil.parts.registers import SleepRegisters
from hil.rig.mode_current import DEEP_MODES, of_list, printed
from hil.rig.part_registers import PartRegisters, Rewrite, word, write
from hil.rig.rig import Rig
from hil.rig.states import State

_RUNS_S = 3.0
"""From the start to the look at DBGMCU: a quartz takes 2 s (DS10198 Rev 8, table 58)."""
_ANALOG, _OUTPUT = 3, 1
_SHOWN_PINS = 6


@dataclass(frozen=True)
class Cause:
    """Something that registers show, and that draws current."""

    text: str
    """A sentence that names the register."""
    adds_a: float | None = None
    """What it typically draws; None where no document gives a figure."""
    most_a: float | None = None
    """What it draws at most, where that is printed."""
    undo: tuple[Rewrite, ...] = ()
    """Writes to a halted part that take it away; none where only a reset or a new program does."""
    by_detaching: bool = False
    """The end of a debug session takes it away, as it clears DBGMCU."""

    def __str__(self) -> str:
        if self.adds_a is None:
            return self.text
        most = "" if self.most_a is None else f", at most {self.most_a * 1e6:.3g} µA"
        return f"{self.text}, typically {self.adds_a * 1e6:.3g} µA{most}"


@dataclass(frozen=True)
class Circumstances:
    """What registers alone do not tell."""

    supply_v: float
    ambient_c: float = 25.0
    found: str | None = None
    """The mode that looks at the core have found; None: never asleep, or not looked."""
    meant: str | None = None
    """The mode in which the firmware is meant to spend its time; None: as found."""
    loads_ohm: Mapping[str, float] = field(default_factory=dict)
    """What is wired from a pin to ground."""


def find_causes(
    rig: Rig, image: Image, registers: PartRegisters, circumstances: Circumstances
) -> tuple[Cause, ...]:
    """What can explain a current that is too high. The board is *off* or *programmed* afterwards."""
    board = rig.config.board.definition
    debug = _debug_left_on(rig, image, registers, circumstances)
    return _ranked([*debug, *told_by(registers, board, circumstances)])


def told_by(
    registers: PartRegisters, board: BoardDefinition, circumstances: Circumstances
) -> tuple[Cause, ...]:
    """The causes that a snapshot of registers names, the dearest first."""
    return _ranked(
        [
            *_entry(registers, board, circumstances),
            *_clocks(registers, board, circumstances),
            *_analog(registers, board, circumstances.supply_v),
            *_pins(registers, board, circumstances),
        ]
    )


def _ranked(causes: list[Cause]) -> tuple[Cause, ...]:
    return tuple(sorted(causes, key=lambda cause: -(cause.adds_a or 0.0)))


def _debug_left_on(
    rig: Rig, image: Image, registers: PartRegisters, circumstances: Circumstances
) -> Iterator[Cause]:
    """Whether the firmware itself sets DBGMCU_CR, which the debugger's own session hides.

    The register is cleared before the first instruction. Where the firmware leaves it so, the bus stops in
    Stop and cannot be read, which is the answer as well.
    """
    rig.to(State.PROGRAMMED, image, restart=True)
    board = rig.board
    debug_control = rig.config.board.definition.part.sleep_registers.words["DBGMCU_CR"]
    write(board, debug_control, 0)
    board.resume()
    rig.clock.sleep(_RUNS_S)
    try:
        value = word(board, debug_control)
    except InstrumentError:
        value = 0
    board.abandon()
    rig.to(State.OFF) if rig.has("supply") else rig.to(State.PROGRAMMED, image, restart=True)
    modes = [mode for bit, mode in enumerate(("Sleep", "Stop", "Standby")) if value >> bit & 1]
    if not modes:
        return
    part = rig.config.board.definition.part
    at = (registers, circumstances.supply_v, circumstances.ambient_c)
    # No document has a figure for this part: its clocks go on as they do in Sleep (assumption).
    adds_a = printed(part, "sleep", *at).typ - printed(part, circumstances.meant or "stop2", *at).typ
    yield Cause(
        f"DBGMCU_CR 0x{value:X} keeps the debug domain clocked in {', '.join(modes)}: "
        "the firmware sets it (HAL_DBGMCU_EnableDBG...Mode, or a debug build)",
        adds_a if adds_a > 0 else None,
        by_detaching=True,
    )


def _entry(registers: PartRegisters, board: BoardDefinition, circumstances: Circumstances) -> Iterator[Cause]:
    """Another mode than the one that was meant."""
    part, found, meant = board.part, circumstances.found, circumstances.meant
    at = (registers, circumstances.supply_v, circumstances.ambient_c)

    def beyond(mode: str, least: str) -> tuple[float, float | None]:
        """What a mode draws beyond a cheaper one."""
        dear, cheap = printed(part, mode, *at), printed(part, least, *at)
        return dear.typ - cheap.typ, None if dear.max is None else dear.max - cheap.typ

    lpms, deep = registers.field("PWR_CR1", 0, 3), registers.field("SCB_SCR", 2)
    if registers.field("PWR_CR1", 14) and meant not in ("sleep", "lpsleep", "none") and lpms in (0, 1, 2):
        text = "PWR_CR1.LPR is set: from low-power run the part enters Stop 1, not Stop 2"
        undo = (Rewrite(registers.address("PWR_CR1"), clear=1 << 14),)
        yield Cause(text, *beyond("stop1", "stop2"), undo) if meant or found else Cause(text, undo=undo)
    if meant == "lpsleep" and not registers.field("FLASH_ACR", 14):
        on, off = (
            part.run_current(f"lpsleep_flash_{row}", registers.hclk_hz or 2e6, circumstances.ambient_c)
            for row in ("on", "pd")
        )
        yield Cause(
            "FLASH_ACR.SLEEP_PD is clear: the flash stays on in low-power sleep",
            on.typ - off.typ,
            undo=(Rewrite(registers.address("FLASH_ACR"), set=1 << 14),),
        )
    if meant not in DEEP_MODES:
        return
    if deep and not registers.field("RCC_CR", 0) and registers.field("RCC_CR", 1):
        # SLEEPDEEP and LPMS name the mode that was asked for.
        text = "RCC_CR.MSION is clear and MSIRDY set: the MSI was stopped at 24 MHz or above"
        yield Cause(f"{text}, and the entry does not finish (ES0250, 2.1.15)", *beyond("sleep", meant))
    if found is None:
        adds_a, most_a = beyond("none", meant)
        for text in _pending(registers):
            yield Cause(f"{text}: WFI goes on at once, and the part does not enter Stop", adds_a, most_a)
    elif found in ("sleep", "lpsleep"):
        if not deep:
            undo = (Rewrite(registers.address("SCB_SCR"), set=1 << 2),)
            yield Cause("SCB_SCR.SLEEPDEEP is clear: WFI enters Sleep", *beyond(found, meant), undo)
    elif found in DEEP_MODES and DEEP_MODES.index(found) < DEEP_MODES.index(meant):
        unclocked = (
            ""
            if registers.field("RCC_APB1ENR1", 28)
            else ("; RCC_APB1ENR1.PWREN is clear, and without it a write to PWR is lost")
        )
        named = f"PWR_CR1.LPMS is {lpms}"
        if found == "standby":  # which has reset both registers
            named, unclocked = "PWR_SR1.SBF tells of Standby", ""
        wanted = DEEP_MODES.index(meant)
        undo = (Rewrite(registers.address("PWR_CR1"), clear=7, set=min(wanted, 4)),)
        yield Cause(
            f"{named}: the part enters {found}, not {meant}{unclocked}",
            *beyond(found, meant),
            undo,
        )


def _pending(registers: PartRegisters) -> Iterator[str]:
    """Wake-up events that are pending while the firmware tries to sleep."""
    if lines := registers["EXTI_PR1"] & registers["EXTI_IMR1"]:
        numbers = ", ".join(str(bit) for bit in range(32) if lines >> bit & 1)
        yield f"EXTI_PR1 0x{lines:X}: line {numbers} is pending"
    if flags := [
        name
        for bit, name in registers.part.sleep_registers.rtc_flags.items()
        if registers.field("RTC_ISR", bit)
    ]:
        yield f"RTC_ISR: {', '.join(flags)} is set"
    for number in range(3):
        if waiting := registers[f"NVIC_ISPR{number}"] & registers[f"NVIC_ISER{number}"]:
            yield f"NVIC_ISPR{number} 0x{waiting:X}: an enabled interrupt is pending"


def _clocks(
    registers: PartRegisters, board: BoardDefinition, circumstances: Circumstances
) -> Iterator[Cause]:
    fact = board.part.fact
    if registers.field("RCC_CR", 9):
        undo = (Rewrite(registers.address("RCC_CR"), clear=1 << 9),)
        yield Cause("RCC_CR.HSIKERON keeps the HSI16 on in Stop", *_figures(fact("hsi16")), undo)
    if registers.field("SYST_CSR", 0, 2) == 3:
        text = "SysTick runs with its interrupt (SYST_CSR): in Sleep it wakes at each tick"
        yield Cause(text, undo=(Rewrite(registers.address("SYST_CSR"), clear=3),))
    if trouble := quartz_trouble(registers):
        yield Cause(trouble)
    drive = registers.field("RCC_BDCR", 3, 2)
    if registers["RCC_BDCR"] & 1 and drive:
        adds_a = of_list(fact("lse_by_drive"), drive) - of_list(fact("lse_by_drive"), 0)
        yield Cause(f"RCC_BDCR.LSEDRV is {drive}: the quartz is driven harder", adds_a)
    rtc_on_lsi = registers.field("RCC_BDCR", 15) and registers.field("RCC_BDCR", 8, 2) == 2
    # The rows with the RTC on the LSI have the LSI in them.
    if registers.field("RCC_CSR", 0) and not (rtc_on_lsi and circumstances.meant in DEEP_MODES):
        undo = (Rewrite(registers.address("RCC_CSR"), clear=1),)
        yield Cause("RCC_CSR.LSION: the LSI runs", *_figures(fact("lsi")), undo)


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


def _analog(registers: PartRegisters, board: BoardDefinition, supply_v: float) -> Iterator[Cause]:
    fact = board.part.fact
    bor_pvd = fact("bor_pvd_adder")
    if registers.field("PWR_CR2", 0):
        undo = (Rewrite(registers.address("PWR_CR2"), clear=1),)
        yield Cause("PWR_CR2.PVDE: the voltage detector is on", *_figures(bor_pvd), undo)
    if level := registers.field("FLASH_OPTR", 8, 3):
        yield Cause(f"FLASH_OPTR.BOR_LEV is {level}: brown-out level raised", *_figures(bor_pvd))
    if monitors := registers.field("PWR_CR2", 4, 4):
        adds_a = (monitors & 3).bit_count() * fact("pvm12_adder").typ_scalar()
        adds_a += (monitors >> 2).bit_count() * fact("pvm34_adder").typ_scalar()
        undo = (Rewrite(registers.address("PWR_CR2"), clear=0xF0),)
        yield Cause(f"PWR_CR2.PVME is 0x{monitors:X}: voltage monitors are on", adds_a, undo=undo)
    if registers.field("VREFBUF_CSR", 0):
        buffer = fact("vrefbuf_idda")
        undo = (Rewrite(registers.address("VREFBUF_CSR"), clear=1),)
        text = "VREFBUF_CSR.ENVR: the reference buffer is on"
        yield Cause(text, of_list(buffer, 0), of_list(buffer, 0, most=True), undo)
    if registers.field("ADC1_CR", 0):
        lines = (fact("adc_idda"), fact("adc_ivref_single"))
        adds_a, most_a = (
            sum(of_list(line, registers.part.sleep_registers.slowest_adc, most=most) for line in lines)
            for most in (False, True)
        )
        undo = (Rewrite(registers.address("ADC1_CR"), set=1 << 1),)  # ADDIS
        yield Cause("ADC1_CR.ADEN: the ADC is left on", adds_a, most_a, undo)
    if registers.field("ADC_CCR", 22):
        text = "ADC_CCR.VREFEN: the buffer of the internal reference is on"
        undo = (Rewrite(registers.address("ADC_CCR"), clear=1 << 22),)
        yield Cause(text, *_figures(fact("vrefint_buf_when_adc_converts")), undo)
    if registers.field("ADC_CCR", 23):
        undo = (Rewrite(registers.address("ADC_CCR"), clear=1 << 23),)
        text = "ADC_CCR.CH17SEL: the temperature sensor is on"
        yield Cause(text, *_figures(fact("temp_sensor")), undo)
    if registers.field("SYSCFG_CFGR1", 8):
        most = fact("io_booster").max
        assert isinstance(most, tuple)
        # Only maxima are printed: an upper bound.
        adds_a = most[sum(supply_v > edge_v for edge_v in registers.part.sleep_registers.io_booster_edges_v)]
        undo = (Rewrite(registers.address("SYSCFG_CFGR1"), clear=1 << 8),)
        yield Cause("SYSCFG_CFGR1.BOOSTEN: the booster of the analog switches is on", adds_a, adds_a, undo)


def _pins(registers: PartRegisters, board: BoardDefinition, circumstances: Circumstances) -> Iterator[Cause]:
    """Pulls that work against a level, outputs into a load, and inputs that nothing holds."""
    supply_v = circumstances.supply_v
    floating: list[tuple[str, int]] = []
    lamps = {pin: name for name, pin in board.leds.items()}
    known = registers.part.sleep_registers
    for port in known.ports:
        modes, pulls, levels = (registers[f"GPIO{port}_{name}"] for name in ("MODER", "PUPDR", "IDR"))
        for number in range(16):
            pin = f"P{port}{number}"
            mode, pull, high = modes >> 2 * number & 3, pulls >> 2 * number & 3, levels >> number & 1
            if pin not in board.pins or mode == _ANALOG or pin in known.debug_pins:
                continue
            undo = (_to_analog(known, port, 3 << 2 * number),)
            if mode != _OUTPUT and ((pull == 1 and not high) or (pull == 2 and high)):
                way, level = ("up", "low") if pull == 1 else ("down", "high")
                text = f"GPIO{port}_PUPDR pulls {board.named(pin)} {way} while it is {level}"
                undo = (Rewrite(known.pin_register(port, "PUPDR"), clear=3 << 2 * number),)
                yield Cause(
                    f"{text}, through some {known.pull_ohm / 1e3:.0f} kΩ",
                    supply_v / known.pull_ohm,
                    supply_v / known.least_pull_ohm,
                    undo,
                )
            elif mode == _OUTPUT and high and pin in circumstances.loads_ohm:
                ohm = circumstances.loads_ohm[pin]
                text = f"GPIO{port}_ODR drives {board.named(pin)} high into {ohm / 1e3:.3g} kΩ"
                yield Cause(text, supply_v / ohm, undo=undo)
            elif mode == _OUTPUT and high and pin in lamps:
                yield Cause(f"GPIO{port}_ODR drives {board.named(pin)} high: {lamps[pin]} is lit", undo=undo)
            elif mode == 0 and pull == 0 and pin not in (board.button, board.console.rx):
                floating.append((pin, number))
    if floating:
        names = [pin for pin, _ in floating]
        shown = ", ".join(names[:_SHOWN_PINS]) + (" ..." if len(names) > _SHOWN_PINS else "")
        ports: dict[str, int] = {}
        for pin, number in floating:
            ports[pin[1]] = ports.get(pin[1], 0) | 3 << 2 * number
        yield Cause(
            f"{len(names)} pin(s) are digital inputs without a pull ({shown}): "
            "what nothing drives floats, and its input stage conducts; analog mode is the cure",
            undo=tuple(_to_analog(known, port, bits) for port, bits in ports.items()),
        )
    if circumstances.found in ("standby", "shutdown"):
        enabled = [pin for bit, pin in enumerate(known.wake_up_pins) if registers.field("PWR_CR3", bit)]
        for pin in enabled:
            if pin != board.button:
                text = f"PWR_CR3 makes {board.named(pin)} a wake-up pin: where nothing drives it, it floats"
                yield Cause(text)
    if circumstances.found == "standby" and registers.field("PWR_CR3", 8):
        retained = board.part.supply_current("standby_sram2_adder", supply_v, circumstances.ambient_c)
        yield Cause("PWR_CR3.RRS: SRAM2 is retained in Standby", retained.typ, retained.max)


def _to_analog(known: SleepRegisters, port: str, bits: int) -> Rewrite:
    return Rewrite(known.pin_register(port, "MODER"), set=bits)


def _figures(fact: Fact) -> tuple[float, float | None]:
    """Typical and maximum of a fact that has one of each."""
    return fact.typ_scalar(), fact.max if isinstance(fact.max, float | int) else None
