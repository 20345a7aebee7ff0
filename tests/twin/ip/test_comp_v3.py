# SPDX-License-Identifier: Apache-2.0
import pytest

CSR = {1: 0x00, 2: 0x04}
EN, WINMODE, POLARITY, BRGEN, SCALEN, VALUE, LOCK = 1, 1 << 9, 1 << 15, 1 << 22, 1 << 23, 1 << 30, 1 << 31
VREFINT_V = 1.212
"""DS10198 Rev 8, T26."""
PLUS = {1: ("PC5", "PB2"), 2: ("PB4", "PB6")}
MINUS = {1: ("PB1", "PC4"), 2: ("PB3", "PB7")}
LINES = {1: 21, 2: 22}
COMP_IRQ = 64
QUARTER, HALF, THREE_QUARTERS, FULL, DAC_1, DAC_2, PIN_1, PIN_2 = (code << 4 for code in range(8))


class Source:
    """A voltage that a test sets."""

    def __init__(self, level_v):
        self.level_v = level_v

    def voltage_v(self, time_ps):
        return self.level_v


class Step:
    """A voltage that rises from 0 to 3 V at an instant."""

    def __init__(self, time_ps):
        self.time_ps = time_ps

    def voltage_v(self, time_ps):
        return 3.0 if time_ps >= self.time_ps else 0.0


@pytest.fixture
def comp(part):
    part.enable_clock(0x60, 0)
    return part


def value(part, number):
    return bool(part.read("COMP", CSR[number]) & VALUE)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("plus", [0, 1])
@pytest.mark.parametrize("minus", [0, 1])
def test_each_comparator_compares_the_pins_that_it_selects(comp, number, plus, minus):
    high, low = comp.pins[PLUS[number][plus]], comp.pins[MINUS[number][minus]]
    above, below = Source(1.51), Source(1.49)
    comp.write("COMP", CSR[number], EN | plus << 7 | (PIN_1, PIN_2)[minus])
    high.connect_source(above)
    low.connect_source(below)
    assert value(comp, number)
    above.level_v = 1.48
    assert not value(comp, number)
    comp.write("COMP", CSR[number], EN | POLARITY | plus << 7 | (PIN_1, PIN_2)[minus])
    assert value(comp, number)
    comp.write("COMP", CSR[number], POLARITY | plus << 7 | (PIN_1, PIN_2)[minus])
    assert not value(comp, number)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("code", "part_of_reference"), [(QUARTER, 0.25), (HALF, 0.5), (THREE_QUARTERS, 0.75), (FULL, 1.0)]
)
@pytest.mark.parametrize("owner", [1, 2])
def test_the_scaler_divides_the_reference(comp, number, code, part_of_reference, owner):
    source = Source(0.0)
    comp.pins[PLUS[number][0]].connect_source(source)

    def threshold_is(level_v):
        found = []
        for offset_v in (-0.001, 0.001):
            source.level_v = level_v + offset_v
            found.append(value(comp, number))
        return found == [False, True]

    comp.write("COMP", CSR[number], EN | code)
    source.level_v = 3.0
    assert not value(comp, number)  # the scaler is off
    comp.set_bits("COMP", CSR[owner], SCALEN)
    assert threshold_is(VREFINT_V)
    comp.set_bits("COMP", CSR[owner], BRGEN)
    assert threshold_is(VREFINT_V * part_of_reference)


@pytest.mark.parametrize(("code", "channel"), [(DAC_1, 0), (DAC_2, 1)])
def test_the_dac_is_a_threshold(comp, code, channel):
    comp.enable_clock(0x58, 29)
    comp.write("DAC1", 0x3C, 3 << 16 * channel)  # not on the pin
    comp.write("DAC1", 0x00, 1 << 16 * channel)
    comp.pins["PC5"].connect_source(Source(1.5))
    comp.write("COMP", CSR[1], EN | code)
    found = []
    for voltage in (0x7F0, 0x810):
        comp.write("DAC1", (0x08, 0x14)[channel], voltage)
        found.append(value(comp, 1))
    assert found == [True, False]


def test_a_window_gives_the_second_the_first_ones_input(comp):
    comp.pins["PC5"].connect_source(Source(2.0))
    comp.pins["PB4"].connect_source(Source(0.0))
    comp.pins["PB3"].connect_source(Source(1.0))
    comp.write("COMP", CSR[2], EN | PIN_1)
    assert not value(comp, 2)
    comp.write("COMP", CSR[2], EN | WINMODE | PIN_1)
    assert value(comp, 2)


@pytest.mark.parametrize("number", [1, 2])
def test_an_edge_pends_its_exti_line_and_the_interrupt(comp, number):
    start_ps = comp.now_ps
    comp.pins[PLUS[number][0]].connect_source(Step(start_ps + 1_000_000_000))
    comp.pins[MINUS[number][0]].set_external_level(False, start_ps)
    comp.write("EXTI", 0x08, 1 << LINES[number])
    comp.set_bits("EXTI", 0x00, 1 << LINES[number])
    comp.write("COMP", CSR[number], EN | PIN_1)
    comp.advance(0.99e-3)
    assert comp.read("EXTI", 0x14) == 0
    comp.advance(0.02e-3)
    assert comp.read("EXTI", 0x14) == 1 << LINES[number]
    assert comp.mcu.core._nvic.level >> 16 + COMP_IRQ & 1


def test_a_crossing_wakes_the_part_from_stop(comp):
    start_ps = comp.now_ps
    comp.pins["PC5"].connect_source(Step(start_ps + 10_000_000_000))
    comp.write("EXTI", 0x08, 1 << 21)
    comp.set_bits("EXTI", 0x00, 1 << 21)
    comp.write("COMP", CSR[1], EN | SCALEN | FULL)
    comp.write_word(0xE000_E108, 1)  # NVIC_ISER2
    comp.enable_clock(0x58, 28)
    comp.write("PWR", 0x00, 0x202)  # Stop 2
    comp.mcu.core._system_control.scr = 4
    comp.mcu.core.debug_halt()
    comp.mcu.core.debug_resume(step=False)
    comp.advance(5e-3)
    assert comp.mcu.mode == "stop2"
    comp.mcu.core._system_control.scr = 0
    comp.advance(6e-3)
    assert comp.mcu.mode in ("run", "sleep")


def test_the_output_drives_its_pins(comp):
    comp.enable_clock(0x4C, 1)
    comp.write("GPIOB", 0x24, 12 << 8)
    comp.write("GPIOB", 0x00, 0xFFEF_FEBF & ~(3 << 20) | 2 << 20)
    source = Source(0.0)
    comp.pins["PC5"].connect_source(source)
    comp.write("COMP", CSR[1], EN | SCALEN | FULL)
    assert comp.pins["PB10"].level_out is False
    source.level_v = 2.0
    comp.advance(150e-6)
    assert comp.pins["PB10"].level_out is True
    source.level_v = 1.0
    comp.advance(150e-6)
    assert comp.pins["PB10"].level_out is False


def test_a_lock_lasts_until_a_reset(comp):
    comp.write("COMP", CSR[2], EN | LOCK)
    comp.write("COMP", CSR[2], 0)
    assert comp.read("COMP", CSR[2]) == EN | LOCK
    comp.mcu.system_reset("software")
    comp.enable_clock(0x60, 0)
    assert comp.read("COMP", CSR[2]) == 0


def test_hysteresis_power_modes_and_blanking_are_named(comp):
    comp.write("COMP", CSR[1], 1 << 2 | 1 << 16 | 1 << 18)
    (access,) = comp.mcu.peripherals.unmodelled.accesses
    named = "COMP.COMP1_CSR bit 2 (COMP1_PWRMODE), bit 16 (COMP1_HYST), bit 18 (COMP1_BLANKING)"
    assert access.register == named


def test_nobody_looks_at_inputs_that_levels_drive(comp):
    comp.pins["PC5"].set_external_level(True, comp.now_ps)
    comp.pins["PB1"].set_external_level(False, comp.now_ps)
    comp.write("COMP", CSR[1], EN | PIN_1)
    assert comp.mcu.peripherals.analog.comparators._looks == [None, None]
    assert value(comp, 1)
