# SPDX-License-Identifier: Apache-2.0
"""The analog blocks, made and connected to pins, triggers, DMA and each other."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

import numpy as np

from hil.parts import Part
from hil.twin.core.scheduler import Scheduler
from hil.twin.peripherals import dac
from hil.twin.peripherals.adc import Adc
from hil.twin.peripherals.adc_common import AdcCommon
from hil.twin.peripherals.analog_inputs import AnalogInputs
from hil.twin.peripherals.dma import Dma
from hil.twin.peripherals.dma_requests import REQUESTS, DmaRequest
from hil.twin.peripherals.exti import Exti
from hil.twin.peripherals.gpio import GpioPort
from hil.twin.peripherals.interrupts import InterruptLines
from hil.twin.peripherals.memory_map import BASE, IRQ
from hil.twin.peripherals.rcc import Rcc
from hil.twin.peripherals.registers import RegisterBlock
from hil.twin.peripherals.tim import Tim
from hil.twin.pins import Pins

_ADC_TRIGGERS: Final = {11: "TIM2", 13: "TIM6", 14: "TIM15"}
"""EXTSEL codes of the timers' TRGO (ST's HAL, LL_ADC_REG_TRIG_EXT)."""
_EXTI_OF_DAC: Final = 9


class Analog:
    """The converters. Iterating gives the blocks, each with its clock gate."""

    def __init__(
        self,
        part: Part,
        scheduler: Scheduler,
        interrupts: InterruptLines,
        rcc: Rcc,
        exti: Exti,
        pins: Pins,
        ports: Mapping[str, GpioPort],
        timers: Mapping[str, Tim],
        controllers: Mapping[str, Dma],
        *,
        seed: int,
        supply_v: Callable[[], float],
        battery_v: Callable[[], float],
        temperature_c: Callable[[], float],
    ) -> None:
        self.adc_common = AdcCommon(partial(rcc.bus_hz, "ADC"), rcc.adc_async_hz)
        self.adc1 = Adc(
            part,
            scheduler,
            interrupts.source(IRQ["ADC1_2"]),
            self.adc_common,
            AnalogInputs(part, ports, supply_v, battery_v, temperature_c),
            {code: timers[name] for code, name in _ADC_TRIGGERS.items()},
            tuple((controllers[name], channel, code) for name, channel, code in REQUESTS["ADC1"]),
            np.random.default_rng([seed, BASE["ADC1"]]),
        )
        self.dac = dac.Dac(
            interrupts.source(IRQ["TIM6_DAC"]),
            (pins[dac.PINS[0]], pins[dac.PINS[1]]),
            supply_v,
            (DmaRequest("DAC1_CH1", controllers), DmaRequest("DAC1_CH2", controllers)),
        )
        for code, name in dac.TRIGGER_TIMERS.items():
            timers[name].trigger_output.converters.append((self.dac, code))
        exti.triggered.setdefault(_EXTI_OF_DAC, []).append(
            partial(self.dac.internal_trigger, dac.TRIGGER_EXTI_9)
        )

    def __iter__(self) -> Iterator[tuple[RegisterBlock, str]]:
        yield self.adc_common, "ADC"
        yield self.adc1, "ADC"
        yield self.dac, "DAC1"
