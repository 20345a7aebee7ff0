# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hil.twin.wiring import PinVoltage
from tests.twin.ip.adc_v3.test_adcs import convert, power_up
from tests.twin.ip.test_comp_v3 import Source

VDD_V = 3.0
CSR = {1: 0x00, 2: 0x10}
PLUS, OUTPUT, CHANNEL = {1: "PA0", 2: "PA6"}, {1: "PA3", 2: "PB0"}, {1: 8, 2: 15}
EN, STANDALONE, PGA, FOLLOWER, VPSEL = 1, 0, 2 << 2, 3 << 2, 1 << 10


@pytest.fixture
def opamp(part):
    part.enable_clock(0x58, 30)
    return part


def volts(part, pin):
    return PinVoltage(part.pins[pin], lambda: VDD_V).voltage_v(part.now_ps)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("settings", "gain"),
    [(FOLLOWER, 1), *((PGA | code << 4, gain) for code, gain in enumerate((2, 4, 8, 16)))],
)
def test_the_output_is_the_input_times_the_gain(opamp, number, settings, gain):
    source = Source(0.1)
    opamp.pins[PLUS[number]].connect_source(source)
    opamp.write("OPAMP", CSR[number], EN | settings)
    assert volts(opamp, OUTPUT[number]) == pytest.approx(0.1 * gain)
    source.level_v = 2.0
    assert volts(opamp, OUTPUT[number]) == pytest.approx(min(2.0 * gain, VDD_V))
    source.level_v = -0.2
    assert volts(opamp, OUTPUT[number]) == 0.0
    opamp.write("OPAMP", CSR[number], settings)
    assert opamp.pins[OUTPUT[number]].analog_out is None
    assert opamp.mcu.peripherals.unmodelled.accesses == []


@pytest.mark.parametrize("number", [1, 2])
def test_the_dac_is_an_input(opamp, number):
    opamp.enable_clock(0x58, 29)
    opamp.write("DAC1", 0x3C, 3 << 16 | 3)
    opamp.write("DAC1", 0x20, 0x0200_0100)
    opamp.write("DAC1", 0x00, 1 << 16 | 1)
    opamp.write("OPAMP", CSR[number], EN | PGA | VPSEL)
    assert volts(opamp, OUTPUT[number]) == pytest.approx(2 * VDD_V * (0x100, 0x200)[number - 1] / 4096)


@pytest.mark.parametrize("number", [1, 2])
def test_the_adc_reads_the_output_on_its_pin(opamp, number):
    opamp.pins[PLUS[number]].connect_source(Source(0.375))
    opamp.write("OPAMP", CSR[number], EN | PGA)
    power_up(opamp, "ADC2")
    assert convert(opamp, "ADC2", CHANNEL[number]) == 1024


def test_many_instants_at_once_are_those_one_by_one(opamp):
    class Ramp:
        def voltage_v(self, time_ps):
            return time_ps * 1e-12

    opamp.pins["PA0"].connect_source(Ramp())
    opamp.write("OPAMP", CSR[1], EN | PGA)
    times_ps = opamp.now_ps + np.arange(5) * 10**9
    found = opamp.mcu.peripherals.ports["A"].voltages_v(3, times_ps)
    assert found == pytest.approx(2 * times_ps * 1e-12)


def test_an_input_of_its_output_pin_is_told_of_steps(opamp):
    opamp.enable_clock(0x4C, 0)
    opamp.write("GPIOA", 0x00, opamp.read("GPIOA", 0x00) & ~(3 << 6))
    told = []
    opamp.mcu.peripherals.ports["A"].input_changed.connect(lambda index, level: told.append((index, level)))
    opamp.write("OPAMP", CSR[1], EN | FOLLOWER)
    opamp.pins["PA0"].set_external_level(True, opamp.now_ps)
    opamp.pins["PA0"].set_external_level(False, opamp.now_ps)
    assert [(index, level) for index, level in told if index == 3] == [(3, True), (3, False)]


def test_standalone_mode_is_named_when_it_is_used(opamp):
    opamp.write("OPAMP", CSR[1], STANDALONE)
    assert opamp.mcu.peripherals.unmodelled.accesses == []
    opamp.write("OPAMP", CSR[1], EN | STANDALONE)
    assert [access.register for access in opamp.mcu.peripherals.unmodelled.accesses] == [
        "OPAMP.OPAMP1_CSR bits 2, 3 (OPAMODE)"
    ]


def test_a_reset_lets_the_pin_go(opamp):
    opamp.write("OPAMP", CSR[1], EN | FOLLOWER)
    opamp.mcu.system_reset("software")
    assert opamp.pins["PA3"].analog_out is None
