# SPDX-License-Identifier: Apache-2.0
"""A part that adds and lacks blocks is data: the virtual part is built from its files."""

from pathlib import Path

import pytest

from hil.boards import REFERENCE, Board
from hil.datasheet.figures import DatasheetError
from hil.parts import Part
from tests.twin.bare_part import BLOCKS
from tests.twin.powered_part import Part as PoweredPart

TOY = {
    "part.toml": 'extends = "stm32l476"\ntitle = "Toy"\n[lacks]\nblocks = ["TIM3", "TIM17"]\n',
    "blocks.toml": """
        [interrupts]
        USART6 = 81
        [blocks.USART6]
        ip = "usart_v3"
        base = 0x4001_3C00
        interrupts = { all = "USART6" }
    """,
    "clocks.toml": "[gates.APB2ENR]\nUSART6 = 15\n",
    "pins.toml": '[alternate_functions]\nUSART6_TX = { 9 = ["PC6"] }\nUSART6_RX = { 9 = ["PC7"] }\n',
    "dma.toml": '[requests]\nUSART6_RX = [["DMA2", 1, 6]]\n',
}
CR1, BRR, TDR, RDR = 0x00, 0x0C, 0x28, 0x24
GPIOC, APB2ENR, USART6EN, TIM17EN = 2, 0x60, 15, 18


def board_with(folder: Path, files: dict[str, str]) -> str:
    toy = folder / "toy"
    toy.mkdir()
    for name, text in files.items():
        (toy / name).write_text(text, encoding="utf-8")
    reference = Path(Board.load.__code__.co_filename).parent / f"{REFERENCE}.toml"
    text = reference.read_text(encoding="utf-8").replace('part = "stm32l476"', 'part = "toy"')
    (folder / "board.toml").write_text(text, encoding="utf-8")
    return str(folder / "board.toml")


@pytest.fixture
def toy(tmp_path: Path) -> PoweredPart:
    return PoweredPart(board=board_with(tmp_path, TOY))


def use_usart6(toy: PoweredPart) -> None:
    toy.enable_clock(0x4C, GPIOC)
    toy.write("GPIOC", 0x20, 9 << 24 | 9 << 28)
    toy.write("GPIOC", 0x00, 2 << 12 | 2 << 14)
    toy.enable_clock(APB2ENR, USART6EN)
    toy.enable_clock(APB2ENR + 0x20, USART6EN)  # in Sleep as well
    toy.write("USART6", BRR, round(toy.mcu.peripherals.rcc.clocks.pclk2_hz / 9600))
    toy.write("USART6", CR1, 1 | 1 << 2 | 1 << 3 | 1 << 5)


def test_an_added_usart_sends_and_receives(toy):
    sent = []
    use_usart6(toy)
    toy.mcu.peripherals.uarts["USART6"].transmitted.connect(lambda time_ps, byte, baud: sent.append(byte))
    toy.pins["PC7"].set_external_level(True, toy.now_ps)
    toy.write("USART6", TDR, 0x5A)
    toy.put_frame("PC7", 0xA5, baud=9600.0)
    toy.advance(2e-3)
    assert sent == [0x5A]
    assert toy.mcu.core._nvic.level >> 16 + 81 & 1
    assert toy.read("USART6", RDR) == 0xA5


def test_its_requests_go_to_its_dma_channel(toy):
    toy.enable_clock(0x48, 1)
    use_usart6(toy)
    toy.pins["PC7"].set_external_level(True, toy.now_ps)
    toy.write("USART6", 0x08, 1 << 6)
    for offset, value in ((0xA8, 6), (0x0C, 1), (0x10, 0x4001_3C24), (0x14, 0x2000_0000), (0x08, 1 << 7 | 1)):
        toy.write("DMA2", offset, value)
    toy.put_frame("PC7", 0xA5, baud=9600.0)
    assert toy.mcu.core.debug_read(0x2000_0000, 1) == 0xA5


def test_without_its_clock_an_added_usart_is_silent(toy):
    toy.write("USART6", CR1, 1)
    assert toy.read("USART6", CR1) == 0


def test_a_lacking_timer_is_reserved_and_missed_by_none(toy):
    assert "TIM17" not in toy.mcu.peripherals.timers
    toy.enable_clock(APB2ENR, TIM17EN)
    assert not toy.read("RCC", APB2ENR) >> TIM17EN & 1
    assert toy.mcu.core.debug_read(BLOCKS["TIM17"].base + 0x2C, 4) == 0
    assert "reserved" in {name.split("_")[0] for name in toy.mcu.peripherals.blocks}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "blocks.toml",
            '[blocks.USART6]\nbase = 0x4001_3C00\ninterrupts = { all = "USART9" }\n',
            "USART6: the part has no interrupt line 'USART9'",
        ),
        ("dma.toml", '[requests]\nUSART6_TX = [["DMA3", 1, 6]]\n', "the part has no block 'DMA3'"),
        ("clocks.toml", "[gates.AHB9ENR]\nUSART6 = 1\n", "no enable register 'AHB9ENR'"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(tmp_path, file, text, message):
    with pytest.raises(DatasheetError, match=message):
        PoweredPart(board=board_with(tmp_path, {"part.toml": 'extends = "stm32l476"\n', file: text}))


def test_the_reference_part_names_a_version_for_what_is_modelled():
    modelled = PoweredPart().mcu.peripherals.blocks
    named = {block.name for block in BLOCKS.by_name.values() if block.ip}
    assert named >= {name for name in modelled if type(modelled[name]).__module__.startswith("hil.twin.ip.")}
    assert Part.load("stm32l475").blocks.of("lcd_v2") == ()
