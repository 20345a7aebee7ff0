# SPDX-License-Identifier: Apache-2.0
"""What levels at pins set off beside the port: EXTI lines, UARTs' receivers, wake-ups, tamper detection."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.exti_v1 import Exti
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.ip.rtc_v2.rtc import Rtc
from hil.twin.ip.rtc_v2.tamper import TAMPER_PINS
from hil.twin.ip.usart_v3.usart import Usart
from hil.twin.pins import Pins
from hil.twin.signal import Signal
from hil.twin.soc.stm32l4.pwr import Pwr
from hil.twin.soc.stm32l4.syscfg import Syscfg

WAKEUP_PINS: Final = {"PA0": 1, "PC13": 2, "PE6": 3, "PA2": 4, "PC5": 5}
"""WKUP1 to WKUP5 (DS10198 Rev 8, Table 16)."""


class PinEvents:
    """``wakeup_pin_used`` tells of an enabled edge on a WKUP pin."""

    def __init__(
        self,
        scheduler: Scheduler,
        pins: Pins,
        ports: Mapping[str, GpioPort],
        exti: Exti,
        syscfg: Syscfg,
        rtc: Rtc,
        pwr: Pwr,
    ) -> None:
        self.wakeup_pin_used: Signal[[]] = Signal(required=True)
        self._scheduler = scheduler
        self._ports = ports
        self._exti = exti
        self._syscfg = syscfg
        self._rtc = rtc
        self._pwr = pwr
        self._wakeup_pins = {number: pins[name] for name, number in WAKEUP_PINS.items()}
        self._uart_inputs: dict[tuple[str, int], list[tuple[int, Callable[[int, bool], None]]]] = {}
        """By port and pin: the UARTs that may listen there, and in which alternate function."""
        for index, tamper_pin in enumerate(TAMPER_PINS):
            pins[tamper_pin].external_level_changed.connect(partial(self._tamper_pin_changed, index))
        syscfg.exti_selected.connect(self._reselect_exti)
        for port, block in ports.items():
            block.input_changed.connect(partial(self._pin_changed, port))
        for name, number in WAKEUP_PINS.items():
            pins[name].external_level_changed.connect(partial(self._wakeup_pin_changed, number))

    def lead_to(
        self, uart: Usart, name: str, alternate_functions: Mapping[str, Mapping[int, tuple[str, ...]]]
    ) -> None:
        """Levels at the pins that may be switched to a UART reach it while they are."""
        for signal in ("TX", "RX"):
            for function, names in alternate_functions.get(f"{name}_{signal}", {}).items():
                for pin in names:
                    listeners = self._uart_inputs.setdefault((pin[1], int(pin[2:])), [])
                    listeners.append((function, partial(uart.pin_changed, signal)))

    def wakeup_pin_level(self, number: int) -> bool | None:
        """The level outside at WKUP pin 1 to 5, ``None`` if nothing defines it."""
        return self._wakeup_pins[number].external_level

    @property
    def floating_wakeup_pins(self) -> tuple[str, ...]:
        """The enabled WKUP pins with a level that nothing defines."""
        return tuple(
            pin.name
            for number, pin in self._wakeup_pins.items()
            if self._pwr.wakeup_pin_enabled(number)
            and not (pin.external_level is not None or pin.has_source or self._pwr.pulled(pin.name))
        )

    def _tamper_pin_changed(self, index: int, _time_ps: int, level: bool | None) -> None:
        self._rtc.tamper.changed(index)
        if index == 0 and level is not None:
            self._rtc.stamp_pin_changed(level)

    def _pin_changed(self, port: str, index: int, level: bool) -> None:
        if self._syscfg.exti_port(index) == port:
            self._exti.set_level(index, level)
        for function, line_changed in self._uart_inputs.get((port, index), ()):
            if level or self._ports[port].has_alternate(index, function):
                line_changed(self._scheduler.now_ps, level)

    def _wakeup_pin_changed(self, number: int, _time_ps: int, level: bool | None) -> None:
        # The wake-up logic looks at the pad itself, whatever the port's configuration.
        if level is not None and self._pwr.wakeup_pin(number, rising=level):
            self.wakeup_pin_used()

    def _reselect_exti(self) -> None:
        for line in range(16):
            port = self._ports[self._syscfg.exti_port(line)]
            self._exti.set_level(line, port.input_level(line))
