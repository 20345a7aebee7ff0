# SPDX-License-Identifier: Apache-2.0
"""Which channel serves which peripheral's request by which code of DMA_CSELR (RM0351, DMA request mapping).

The rows are checked against those of NuttX (stm32l4 DMA headers), but for I2C3_RX: its code there is the one
of USART3_RX on the same channel; ChibiOS (STM32L4x6 registry) has this one.
"""

from collections.abc import Mapping
from typing import Final

from hil.twin.ip.bdma_v2 import Dma

REQUESTS: Final[dict[str, tuple[tuple[str, int, int], ...]]] = {
    "ADC1": (("DMA1", 1, 0), ("DMA2", 3, 0)),
    "ADC2": (("DMA1", 2, 0), ("DMA2", 4, 0)),
    "ADC3": (("DMA1", 3, 0), ("DMA2", 5, 0)),
    "DAC1_CH1": (("DMA1", 3, 6), ("DMA2", 4, 3)),
    "DAC1_CH2": (("DMA1", 4, 5), ("DMA2", 5, 3)),
    "USART1_RX": (("DMA1", 5, 2), ("DMA2", 7, 2)),
    "USART1_TX": (("DMA1", 4, 2), ("DMA2", 6, 2)),
    "USART2_RX": (("DMA1", 6, 2),),
    "USART2_TX": (("DMA1", 7, 2),),
    "USART3_RX": (("DMA1", 3, 2),),
    "USART3_TX": (("DMA1", 2, 2),),
    "UART4_RX": (("DMA2", 5, 2),),
    "UART4_TX": (("DMA2", 3, 2),),
    "UART5_RX": (("DMA2", 2, 2),),
    "UART5_TX": (("DMA2", 1, 2),),
    "LPUART1_RX": (("DMA2", 7, 4),),
    "LPUART1_TX": (("DMA2", 6, 4),),
    "I2C1_RX": (("DMA1", 7, 3), ("DMA2", 6, 5)),
    "I2C1_TX": (("DMA1", 6, 3), ("DMA2", 7, 5)),
    "I2C2_RX": (("DMA1", 5, 3),),
    "I2C2_TX": (("DMA1", 4, 3),),
    "I2C3_RX": (("DMA1", 3, 3),),
    "I2C3_TX": (("DMA1", 2, 3),),
    "SPI1_RX": (("DMA1", 2, 1), ("DMA2", 3, 4)),
    "SPI1_TX": (("DMA1", 3, 1), ("DMA2", 4, 4)),
    "SPI2_RX": (("DMA1", 4, 1),),
    "SPI2_TX": (("DMA1", 5, 1),),
    "SPI3_RX": (("DMA2", 1, 3),),
    "SPI3_TX": (("DMA2", 2, 3),),
    "TIM1_CH1": (("DMA1", 2, 7),),
    "TIM1_CH2": (("DMA1", 3, 7),),
    "TIM1_CH3": (("DMA1", 7, 7),),
    "TIM1_CH4": (("DMA1", 4, 7),),
    "TIM1_TRIG": (("DMA1", 4, 7),),
    "TIM1_COM": (("DMA1", 4, 7),),
    "TIM1_UP": (("DMA1", 6, 7),),
    "TIM2_CH1": (("DMA1", 5, 4),),
    "TIM2_CH2": (("DMA1", 7, 4),),
    "TIM2_CH3": (("DMA1", 1, 4),),
    "TIM2_CH4": (("DMA1", 7, 4),),
    "TIM2_UP": (("DMA1", 2, 4),),
    "TIM3_CH1": (("DMA1", 6, 5),),
    "TIM3_CH3": (("DMA1", 2, 5),),
    "TIM3_CH4": (("DMA1", 3, 5),),
    "TIM3_TRIG": (("DMA1", 6, 5),),
    "TIM3_UP": (("DMA1", 3, 5),),
    "TIM4_CH1": (("DMA1", 1, 6),),
    "TIM4_CH2": (("DMA1", 4, 6),),
    "TIM4_CH3": (("DMA1", 5, 6),),
    "TIM4_UP": (("DMA1", 7, 6),),
    "TIM5_CH1": (("DMA2", 5, 5),),
    "TIM5_CH2": (("DMA2", 4, 5),),
    "TIM5_CH3": (("DMA2", 2, 5),),
    "TIM5_CH4": (("DMA2", 1, 5),),
    "TIM5_TRIG": (("DMA2", 1, 5),),
    "TIM5_UP": (("DMA2", 2, 5),),
    "TIM6_UP": (("DMA1", 3, 6), ("DMA2", 4, 3)),
    "TIM7_UP": (("DMA1", 4, 5), ("DMA2", 5, 3)),
    "TIM8_CH1": (("DMA2", 6, 7),),
    "TIM8_CH2": (("DMA2", 7, 7),),
    "TIM8_CH3": (("DMA2", 1, 7),),
    "TIM8_CH4": (("DMA2", 2, 7),),
    "TIM8_TRIG": (("DMA2", 2, 7),),
    "TIM8_COM": (("DMA2", 2, 7),),
    "TIM8_UP": (("DMA2", 1, 7),),
    "TIM15_CH1": (("DMA1", 5, 7),),
    "TIM15_TRIG": (("DMA1", 5, 7),),
    "TIM15_COM": (("DMA1", 5, 7),),
    "TIM15_UP": (("DMA1", 5, 7),),
    "TIM16_CH1": (("DMA1", 3, 4), ("DMA1", 6, 4)),
    "TIM16_UP": (("DMA1", 3, 4), ("DMA1", 6, 4)),
    "TIM17_CH1": (("DMA1", 1, 5), ("DMA1", 7, 5)),
    "TIM17_UP": (("DMA1", 1, 5), ("DMA1", 7, 5)),
}


class DmaRequest:
    """One peripheral's request line; without a row in the mapping nobody ever serves it."""

    def __init__(self, name: str, controllers: Mapping[str, Dma]) -> None:
        self._routes = [(controllers[dma], channel, code) for dma, channel, code in REQUESTS.get(name, ())]

    def __call__(self) -> bool:
        """Ask for one transfer; false if no enabled channel serves it."""
        return any(dma.request(channel, code) for dma, channel, code in self._routes)
