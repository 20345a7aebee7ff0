# SPDX-License-Identifier: Apache-2.0
"""The analog blocks, made and connected to pins, triggers, DMA and each other."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

import numpy as np

from hil.parts import Block, Part
from hil.twin.ip.adc_v3.adc import TRIGGER_EXTI_11, Adc
from hil.twin.ip.adc_v3.common import AdcCommon
from hil.twin.ip.adc_v3.injected import TRIGGER_EXTI_15
from hil.twin.ip.adc_v3.inputs import AnalogInputs
from hil.twin.ip.adc_v3.pair import AdcPair
from hil.twin.ip.comp_v3 import Comparators
from hil.twin.ip.dac_v3 import dac
from hil.twin.ip.exti_v1 import LINE_COMP1, LINE_COMP2, Exti
from hil.twin.ip.opamp_v3 import OpAmps
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.ip.timer_v1.tim import Tim
from hil.twin.pins import Pins
from hil.twin.soc.routing import Routing
from hil.twin.soc.stm32l4.rcc import Rcc

_EXTI_OF_COMPARATORS: Final = (LINE_COMP1, LINE_COMP2)
_EXTI_OF_ADC: Final = 11
_EXTI_OF_INJECTED: Final = 15
_EXTI_OF_DAC: Final = 9


def _triggers(block: Block, trait: str, timers: Mapping[str, Tim]) -> dict[int, Tim]:
    """The part's timers by the codes that select their TRGO."""
    codes: Mapping[str, int] = block.traits[trait]
    return {code: timers[timer] for timer, code in codes.items() if timer in timers}


class Analog:
    """Converters, comparators and amplifiers. Iterating gives the blocks."""

    def __init__(
        self,
        part: Part,
        routing: Routing,
        rcc: Rcc,
        exti: Exti,
        pins: Pins,
        timers: Mapping[str, Tim],
        *,
        seed: int,
        supply_v: Callable[[], float],
        battery_v: Callable[[], float],
        temperature_c: Callable[[], float],
        core_asleep: Callable[[], bool],
    ) -> None:
        blocks, scheduler, ports = routing.blocks, routing.scheduler, routing.ports
        self.adc_common = AdcCommon(
            blocks["ADC123_COMMON"],
            lambda: scheduler.now_ps,
            partial(routing.clocks.bus_hz, "ADC"),
            rcc.adc_async_hz,
        )
        self.dac = dac.Dac(
            blocks["DAC1"],
            routing.interrupts.of(blocks["DAC1"]),
            (pins[dac.PINS[0]], pins[dac.PINS[1]]),
            supply_v,
            (routing.request("DAC1_CH1"), routing.request("DAC1_CH2")),
        )
        for code, name in dac.TRIGGER_TIMERS.items():
            if name in timers:
                timers[name].trigger_output.converters.append((self.dac, code))
        exti.triggered(_EXTI_OF_DAC).connect(partial(self.dac.internal_trigger, dac.TRIGGER_EXTI_9))
        self.adcs = {
            block.name: Adc(
                part,
                block,
                scheduler,
                routing.interrupts.of(block),
                self.adc_common,
                AnalogInputs(
                    part,
                    block.name,
                    self.adc_common,
                    ports,
                    self.dac.output,
                    supply_v=supply_v,
                    battery_v=battery_v,
                    temperature_c=temperature_c,
                ),
                _triggers(blocks["ADC123_COMMON"], "triggers", timers),
                _triggers(blocks["ADC123_COMMON"], "injected_triggers", timers),
                tuple(routing.request(block.name)),
                np.random.default_rng([seed, block.base]),
                core_asleep,
            )
            for block in blocks.of("adc_v3")
        }
        AdcPair(self.adc_common, self.adcs["ADC1"], self.adcs["ADC2"])
        for adc in self.adcs.values():
            exti.triggered(_EXTI_OF_ADC).connect(partial(adc.internal_trigger, TRIGGER_EXTI_11))
            exti.triggered(_EXTI_OF_INJECTED).connect(partial(adc.injected.internal_trigger, TRIGGER_EXTI_15))

        self.comparators = Comparators(
            blocks["COMP"],
            scheduler,
            pins,
            ports,
            (routing.pin_signal("COMP1_OUT"), routing.pin_signal("COMP2_OUT")),
            part.fact("vrefint").typ_scalar(),
            self.dac.output,
            lambda index, level: exti.set_level(_EXTI_OF_COMPARATORS[index], level),
        )
        self.opamps = OpAmps(blocks["OPAMP"], pins, ports, supply_v, self.dac.output)
        self.dac.output_changed.connect(self.comparators.refresh)
        self.dac.output_changed.connect(self.opamps.refresh)
        self.adc_common.changed.connect(self.retime)

    def retime(self) -> None:
        """The ADCs' clock may have changed."""
        for adc in self.adcs.values():
            adc.retime()

    def __iter__(self) -> Iterator[RegisterBlock]:
        yield self.adc_common
        yield from self.adcs.values()
        yield self.dac
        yield self.comparators
        yield self.opamps
