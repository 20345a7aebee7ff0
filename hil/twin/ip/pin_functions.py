# SPDX-License-Identifier: Apache-2.0
"""Which pins carry which signal in which alternate function (DS10198 Rev 8, Tables 17 and 18).

The timers', I2C2's, I2C3's, SPI2's and SPI3's pins of the LQFP64 package are checked against Zephyr's
stm32l476r pinctrl file, the UARTs' CTS and RTS_DE against its stm32l476z file.
"""

from collections.abc import Callable, Mapping
from typing import Final

from hil.twin.ip.gpio_v2 import GpioPort

SIGNALS: Final[dict[str, dict[int, tuple[str, ...]]]] = {
    "USART1_TX": {7: ("PA9", "PB6", "PG9")},
    "USART1_RX": {7: ("PA10", "PB7", "PG10")},
    "USART2_TX": {7: ("PA2", "PD5")},
    "USART2_RX": {7: ("PA3", "PD6"), 3: ("PA15",)},
    "USART3_TX": {7: ("PB10", "PC4", "PC10", "PD8")},
    "USART3_RX": {7: ("PB11", "PC5", "PC11", "PD9")},
    "UART4_TX": {8: ("PA0", "PC10")},
    "UART4_RX": {8: ("PA1", "PC11")},
    "UART5_TX": {8: ("PC12",)},
    "UART5_RX": {8: ("PD2",)},
    "LPUART1_TX": {8: ("PB11", "PC1", "PG7")},
    "LPUART1_RX": {8: ("PB10", "PC0", "PG8")},
    "USART1_CTS": {7: ("PA11", "PB4", "PG11")},
    "USART1_RTS_DE": {7: ("PA12", "PB3", "PG12")},
    "USART2_CTS": {7: ("PA0", "PD3")},
    "USART2_RTS_DE": {7: ("PA1", "PD4")},
    "USART3_CTS": {7: ("PA6", "PB13", "PD11")},
    "USART3_RTS_DE": {7: ("PB1", "PB14", "PD2", "PD12")},
    "UART4_CTS": {8: ("PB7",)},
    "UART4_RTS_DE": {8: ("PA15",)},
    "UART5_CTS": {8: ("PB5",)},
    "UART5_RTS_DE": {8: ("PB4",)},
    "LPUART1_CTS": {8: ("PB13", "PG5")},
    "LPUART1_RTS_DE": {8: ("PB12", "PG6")},
    "I2C1_SCL": {4: ("PB6", "PB8", "PG14")},
    "I2C1_SDA": {4: ("PB7", "PB9", "PG13")},
    "I2C2_SCL": {4: ("PB10", "PB13", "PF1")},
    "I2C2_SDA": {4: ("PB11", "PB14", "PF0")},
    "I2C3_SCL": {4: ("PC0", "PG7")},
    "I2C3_SDA": {4: ("PC1", "PG8")},
    "SPI1_SCK": {5: ("PA5", "PB3", "PE13", "PG2")},
    "SPI2_SCK": {5: ("PB10", "PB13", "PD1")},
    "SPI3_SCK": {6: ("PB3", "PC10", "PG9")},
    "SPI1_NSS": {5: ("PA4", "PA15", "PB0", "PE12", "PG5")},
    "SPI2_NSS": {5: ("PB9", "PB12", "PD0")},
    "SPI3_NSS": {6: ("PA4", "PA15", "PG12")},
    "LPTIM1_IN1": {1: ("PB5", "PC0", "PG10")},
    "LPTIM1_IN2": {1: ("PB7", "PC2", "PG11")},
    "LPTIM1_ETR": {1: ("PB6", "PC3", "PG12")},
    "LPTIM2_IN1": {14: ("PB1", "PC0", "PD12")},
    "LPTIM2_ETR": {14: ("PA5", "PC3", "PD11")},
    "COMP1_OUT": {12: ("PB0", "PB10")},
    "COMP2_OUT": {12: ("PB5", "PB11")},
    "LPTIM1_OUT": {1: ("PB2", "PC1", "PG15")},
    "LPTIM2_OUT": {14: ("PA4", "PA8", "PD13")},
    "TIM1_CH1": {1: ("PA8", "PE9")},
    "TIM1_CH2": {1: ("PA9", "PE11")},
    "TIM1_CH3": {1: ("PA10", "PE13")},
    "TIM1_CH4": {1: ("PA11", "PE14")},
    "TIM1_CH1N": {1: ("PA7", "PB13", "PE8")},
    "TIM1_CH2N": {1: ("PB0", "PB14", "PE10")},
    "TIM1_CH3N": {1: ("PB1", "PB15", "PE12")},
    "TIM1_BKIN": {1: ("PA6", "PB12", "PE15")},
    "TIM1_ETR": {1: ("PA12", "PE7")},
    "TIM8_CH1": {3: ("PC6",)},
    "TIM8_CH2": {3: ("PC7",)},
    "TIM8_CH3": {3: ("PC8",)},
    "TIM8_CH4": {3: ("PC9",)},
    "TIM8_CH1N": {3: ("PA5", "PA7")},
    "TIM8_CH2N": {3: ("PB0", "PB14")},
    "TIM8_CH3N": {3: ("PB1", "PB15")},
    "TIM8_BKIN": {3: ("PA6", "PB7")},
    "TIM8_ETR": {3: ("PA0",)},
    "TIM2_ETR": {14: ("PA0",), 2: ("PA5", "PA15")},
    "TIM3_ETR": {2: ("PD2", "PE2")},
    "TIM4_ETR": {2: ("PE0",)},
    "TIM15_CH1N": {14: ("PA1", "PB13", "PG9")},
    "TIM16_CH1N": {14: ("PB6",)},
    "TIM17_CH1N": {14: ("PB7",)},
    "TIM15_BKIN": {14: ("PA9", "PB12")},
    "TIM16_BKIN": {14: ("PB5",)},
    "TIM17_BKIN": {14: ("PA10", "PB4")},
    "TIM2_CH1": {1: ("PA0", "PA5", "PA15")},
    "TIM2_CH2": {1: ("PA1", "PB3")},
    "TIM2_CH3": {1: ("PA2", "PB10")},
    "TIM2_CH4": {1: ("PA3", "PB11")},
    "TIM3_CH1": {2: ("PA6", "PB4", "PC6", "PE3")},
    "TIM3_CH2": {2: ("PA7", "PB5", "PC7", "PE4")},
    "TIM3_CH3": {2: ("PB0", "PC8", "PE5")},
    "TIM3_CH4": {2: ("PB1", "PC9", "PE6")},
    "TIM4_CH1": {2: ("PB6", "PD12")},
    "TIM4_CH2": {2: ("PB7", "PD13")},
    "TIM4_CH3": {2: ("PB8", "PD14")},
    "TIM4_CH4": {2: ("PB9", "PD15")},
    "TIM5_CH1": {2: ("PA0", "PF6")},
    "TIM5_CH2": {2: ("PA1", "PF7")},
    "TIM5_CH3": {2: ("PA2", "PF8")},
    "TIM5_CH4": {2: ("PA3", "PF9")},
    "TIM15_CH1": {14: ("PA2", "PB14", "PF9", "PG10")},
    "TIM15_CH2": {14: ("PA3", "PB15", "PF10", "PG11")},
    "TIM16_CH1": {14: ("PA6", "PB8", "PE0")},
    "TIM17_CH1": {14: ("PA7", "PB9", "PE1")},
}


class Signal:
    """A peripheral's signal on the pins that software may route it to."""

    def __init__(self, name: str, ports: Mapping[str, GpioPort]) -> None:
        self._pins = [
            (ports[pin[1]], int(pin[2:]), function)
            for function, pins in SIGNALS.get(name, {}).items()
            for pin in pins
        ]

    def routed(self) -> bool:
        """Whether any of the pins is switched to the signal."""
        return any(port.has_alternate(index, function) for port, index, function in self._pins)

    @property
    def level(self) -> bool | None:
        """The level at the input of the pin that is switched to the signal; ``None`` if none is."""
        for port, index, function in self._pins:
            if port.has_alternate(index, function):
                return port.input_level(index)
        return None

    def read(self) -> bool | None:
        """:attr:`level`, for who wants a callable."""
        return self.level

    def listen(self, listener: Callable[[bool], None]) -> None:
        """Call ``listener`` with every new level at a pin that is switched to the signal."""
        for port, index, function in self._pins:
            port.alternate_listeners.setdefault((index, function), []).append(listener)

    def drive(self, level: bool | None) -> None:
        """The peripheral drives ``level``, or lets go."""
        for port, index, function in self._pins:
            port.set_alternate_output(index, function, level)
