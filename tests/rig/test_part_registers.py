# SPDX-License-Identifier: Apache-2.0
"""Clocks and rates from registers, by the formulas of RM0351."""

import pytest

from hil.boards import Board
from hil.rig.current_causes import Circumstances, told_by
from hil.rig.part_registers import PartRegisters, looked_at

BOARD = Board.load("nucleo_l476rg")
PART = BOARD.part

ANALOG = {
    f"GPIO{port}_{name}": value
    for port in PART.sleep_registers.ports
    for name, value in (("MODER", 0xFFFF_FFFF), ("PUPDR", 0), ("IDR", 0))
}
RESET = dict.fromkeys(looked_at(PART), 0) | ANALOG | {"RCC_CR": 0x63, "UART_CR1": 1, "UART_BRR": 35}
"""As a reset leaves them, with every pin in analog mode; USART2 on, 115200 baud of 4 MHz."""


def part(uart: str = "USART2", **words: int) -> PartRegisters:
    return PartRegisters(RESET | words, uart, PART)


@pytest.mark.parametrize(
    ("words", "hz"),
    [
        ({"RCC_CR": 0x63, "RCC_CSR": 0x600}, 4e6),
        ({"RCC_CR": 0xB9}, 48e6),
        ({"RCC_CR": 0x61, "RCC_CSR": 0x500}, 2e6),
        ({"RCC_CFGR": 0x5}, 16e6),
        ({"RCC_CFGR": 0xF, "RCC_CR": 0x69, "RCC_PLLCFGR": 0x0100_2801}, 80e6),
        ({"RCC_CFGR": 0xF, "RCC_PLLCFGR": 0x0100_1412}, 80e6),
        ({"RCC_CFGR": 0xA}, None),
    ],
)
def test_sysclk(words: dict[str, int], hz: float | None) -> None:
    assert part(**words).sysclk_hz == hz


@pytest.mark.parametrize(
    ("uart", "words", "baud"),
    [
        ("USART2", {"RCC_CR": 0x69}, 4e6 / 35),
        ("USART2", {"RCC_CR": 0x69, "RCC_CFGR": 0x400}, 4e6 / 2 / 35),
        ("USART2", {"RCC_CCIPR": 2 << 2, "UART_BRR": 1667}, 16e6 / 1667),
        ("USART1", {"RCC_CR": 0x69, "UART_CR1": 0x8001, "UART_BRR": 0x22}, 8e6 / 0x24),
        ("LPUART1", {"RCC_CCIPR": 3 << 10, "UART_BRR": 0x369}, 256 * 32768 / 0x369),
        ("USART2", {"UART_CR1": 0}, None),
        ("USART2", {"UART_BRR": 0}, None),
    ],
)
def test_the_rate_of_a_uart(uart: str, words: dict[str, int], baud: float | None) -> None:
    assert part(uart, **words).baud == (None if baud is None else pytest.approx(baud))


def test_a_part_with_nothing_switched_on_has_no_cause() -> None:
    assert told_by(part(), BOARD, Circumstances(3.0)) == ()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"RCC_CR": 0x263}, "RCC_CR.HSIKERON"),
        ({"RCC_BDCR": 0x8201}, "the LSE is on and not ready, and the RTC runs on the LSI"),
        ({"RCC_BDCR": 0x811B}, "RCC_BDCR.LSEDRV is 3"),
        ({"RCC_CSR": 1}, "RCC_CSR.LSION"),
        ({"PWR_CR1": 0x4000}, "Stop 1, not Stop 2"),
        ({"PWR_CR2": 1}, "PWR_CR2.PVDE"),
        ({"PWR_CR2": 0x30}, "PWR_CR2.PVME is 0x3"),
        ({"FLASH_OPTR": 0x400}, "BOR_LEV is 4"),
        ({"VREFBUF_CSR": 1}, "VREFBUF_CSR.ENVR"),
        ({"ADC1_CR": 1}, "ADC1_CR.ADEN"),
        ({"ADC_CCR": 1 << 23}, "the temperature sensor is on"),
        ({"SYSCFG_CFGR1": 0x100}, "SYSCFG_CFGR1.BOOSTEN"),
        ({"SYST_CSR": 7}, "SysTick runs"),
        (
            {"GPIOC_MODER": 0xF3FF_FFFF, "GPIOC_PUPDR": 2 << 26, "GPIOC_IDR": 1 << 13},
            "pulls PC13 down while it is high, through some 40 kΩ, typically 75 µA",
        ),
        ({"GPIOB_MODER": 0xFFFF_FFFC, "GPIOB_PUPDR": 1}, "pulls PB0 (A3) up while it is low"),
        ({"GPIOC_MODER": 0xFFFF_FF00}, "4 pin(s) are digital inputs without a pull (PC0, PC1, PC2, PC3)"),
    ],
)
def test_what_is_left_on_is_named(words: dict[str, int], told: str) -> None:
    causes = told_by(part(**words), BOARD, Circumstances(3.0))
    assert len(causes) == 1, causes
    assert told in str(causes[0])


@pytest.mark.parametrize(
    ("found", "meant", "words", "told"),
    [
        ("stop0", "stop2", {}, "PWR_CR1.LPMS is 0: the part enters stop0, not stop2; RCC_APB1ENR1.PWREN"),
        ("stop1", "stop2", {"PWR_CR1": 1, "RCC_APB1ENR1": 1 << 28}, "LPMS is 1: the part enters stop1"),
        ("sleep", "stop2", {"PWR_CR1": 2}, "SCB_SCR.SLEEPDEEP is clear"),
        ("stop2", "stop2", {"RCC_CR": 0xB2, "SCB_SCR": 4, "PWR_CR1": 2}, "the MSI was stopped at 24 MHz"),
        (None, "stop2", {"EXTI_PR1": 512, "EXTI_IMR1": 512}, "line 9 is pending: WFI goes on at once"),
        (None, "stop2", {"RTC_ISR": 1 << 10}, "RTC_ISR: WUTF is set"),
        (None, "stop2", {"NVIC_ISPR0": 8, "NVIC_ISER0": 8}, "an enabled interrupt is pending"),
        ("lpsleep", "lpsleep", {"RCC_CR": 0x9}, "FLASH_ACR.SLEEP_PD is clear"),
        ("standby", "standby", {"PWR_CR3": 0x100, "PWR_CR1": 3}, "SRAM2 is retained in Standby"),
        ("standby", "standby", {"PWR_CR3": 8, "PWR_CR1": 3}, "makes PA2 a wake-up pin"),
    ],
)
def test_another_mode_than_was_meant_is_named(
    found: str | None, meant: str, words: dict[str, int], told: str
) -> None:
    circumstances = Circumstances(3.0, found=found, meant=meant)
    causes = told_by(part(**words), BOARD, circumstances)
    assert len(causes) == 1, causes
    assert told in str(causes[0])


def test_what_is_left_on_is_read_with_the_clocks_as_they_were() -> None:
    """A stranger's gated peripherals are read, and are gated again."""
    board = FakeMemory({0x4002_104C: 0x3, 0x4002_1058: 0, 0x4002_1060: 0})
    registers = PartRegisters.read(board, PART, "USART2")  # type: ignore[arg-type]
    assert registers["RCC_AHB2ENR"] == 3
    assert registers["RCC_APB1ENR1"] == 0
    assert [board.words[address] for address in (0x4002_104C, 0x4002_1058, 0x4002_1060)] == [3, 0, 0]
    assert board.most[0x4002_1058] == 1 << 28 | 1 << 17


class FakeMemory:
    """Registers that hold what is written."""

    def __init__(self, words: dict[int, int]) -> None:
        self.words, self.most = words, dict(words)

    def read_memory(self, address: int, size: int) -> bytes:
        return self.words.get(address, 0).to_bytes(size, "little")

    def write_memory(self, address: int, data: bytes) -> None:
        value = int.from_bytes(data, "little")
        self.words[address] = value
        self.most[address] = self.most.get(address, 0) | value


def test_the_dearest_cause_comes_first() -> None:
    causes = told_by(part(RCC_CR=0x263, RCC_CSR=1), BOARD, Circumstances(3.0))
    assert [cause.text.partition(" ")[0] for cause in causes] == ["RCC_CR.HSIKERON", "RCC_CSR.LSION:"]
