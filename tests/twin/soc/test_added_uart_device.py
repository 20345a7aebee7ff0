# SPDX-License-Identifier: Apache-2.0
"""docs/how_to_add_a_bus_device.md, its device on a UART: followed word by word in a temporary folder."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.config import load_rig
from hil.firmware.image import FLASH_START
from hil.places import shipped
from hil.twin.bench import Bench
from hil.twin.bench_config import parse
from tests.twin.bare_part import IDLE_PROGRAM

PAGE = Path(__file__).parents[3] / "docs" / "how_to_add_a_bus_device.md"
CR1, BRR, ISR, RDR, TDR = 0x00, 0x0C, 0x1C, 0x24, 0x28
UE, RE, TE, RXNE, TXE = 1, 4, 8, 1 << 5, 1 << 7
KERNEL_HZ = 4_000_000
"""MSI after a reset."""
POWER_ON = b"VOLT 3.3,(@1);:CURR:LIM 0.05,(@1);:OUTP ON,(@1)"


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The page's rig file. The page's package is installed, as `pip install .` leaves it."""
    text = PAGE.read_text(encoding="utf-8")
    ours = r" run-by: \S+uart_device\.py\n(.*?)```"
    ((module,), (table,)) = (re.findall(f"```{kind}{ours}", text, re.DOTALL) for kind in ("python", "toml"))
    (tmp_path / "modem.py").write_text(module, encoding="utf-8")
    metadata = tmp_path / "modem-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: modem\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[hil.twin_devices]\ntoy_modem = modem:on_bench\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tomllib.loads(table)
    sys.modules.pop("modem", None)


class Desk:
    """The bench, and USART3 of its part at PC10 and PC11, worked from outside."""

    def __init__(self, rig: dict[str, Any], baud: float = 9600, function: int = 7) -> None:
        self.bench = Bench(parse(rig, "their.toml"))
        self.bench.mcu.core.memory.preload(FLASH_START, IDLE_PROGRAM)
        self.bench.analyzer.execute(POWER_ON)
        self.bench.advance(0.01)
        self._blocks = self.bench.mcu.peripherals.blocks
        self.set_bits("RCC", 0x4C, 1 << 2)
        self.set_bits("RCC", 0x58, 1 << 18)
        self.set_bits("GPIOC", 0x24, function << 8 | function << 12)
        mode = self._blocks["GPIOC"].read(0x00, 4)
        self._blocks["GPIOC"].write(0x00, 4, mode & ~(5 << 20))
        self.write(BRR, round(KERNEL_HZ / baud))
        self.write(CR1, UE | RE | TE)
        self.bench.advance(2e-3)

    def set_bits(self, block: str, offset: int, bits: int) -> None:
        self._blocks[block].write(offset, 4, self._blocks[block].read(offset, 4) | bits)

    def write(self, offset: int, value: int) -> None:
        self._blocks["USART3"].write(offset, 4, value)

    def ask(self, command: bytes) -> bytes:
        """What comes back within some 30 frames."""
        for byte in command:
            self.write(TDR, byte)
            self.bench.advance(1.2e-3)
        answer = bytearray()
        for _ in range(60):
            self.bench.advance(0.5e-3)
            if self._blocks["USART3"].read(ISR, 4) & RXNE:
                answer.append(self._blocks["USART3"].read(RDR, 4))
        return bytes(answer)


def rail_on(desk: Desk) -> None:
    desk.bench.rails[0].power_on()
    desk.bench.advance(0.01)


def test_the_part_talks_with_it(rig: dict[str, Any]) -> None:
    desk = Desk(rig)
    rail_on(desk)
    assert desk.ask(b"AT\r") == b"OK\r\n"
    assert desk.ask(b"AT+SAY=hello\r") == b"hello\r\nOK\r\n"
    assert desk.ask(b"AT+NONE\r") == b"ERROR\r\n"


def test_it_has_its_current_and_its_answers_from_its_rail(rig: dict[str, Any]) -> None:
    desk = Desk(rig)
    rail = desk.bench.rails[0]
    assert desk.ask(b"AT\r") == b"", "a module without a supply answers"
    assert desk.bench.pins["PC11"].external_level is False
    rail_on(desk)
    assert desk.ask(b"AT\r") == b"OK\r\n"
    rail.analyzer.execute(b"SENS:CURR:RANG:AUTO ON,(@1)")
    desk.bench.advance(0.2)
    assert float(rail.analyzer.execute(b"MEAS:CURR? (@1)")) == pytest.approx(1e-3, rel=1e-3)
    rail.analyzer.execute(b"OUTP OFF,(@1)")
    desk.bench.advance(0.01)
    assert desk.ask(b"AT\r") == b"\0", "a line that falls is a break, and nothing comes after it"


def test_at_another_rate_it_understands_nothing(rig: dict[str, Any]) -> None:
    desk = Desk(rig, baud=19200)
    rail_on(desk)
    assert b"OK" not in desk.ask(b"AT\r")


def test_a_uart_that_is_routed_elsewhere_does_not_reach_it(rig: dict[str, Any]) -> None:
    desk = Desk(rig, function=0)
    rail_on(desk)
    assert desk.ask(b"AT\r") == b""


def test_the_controller_reads_the_same_entry(tmp_path: Path) -> None:
    text = shipped("rig_configs/sim.toml").read_text(encoding="utf-8")
    entry = '[[board.devices]]\nkind = "toy_modem"\nbus = "USART3"\npins = { tx = "PC10", rx = "PC11" }\n'
    file = tmp_path / "x.toml"
    file.write_text(text.replace("[probe]", f"{entry}baud = 9600\n\n[probe]", 1), encoding="utf-8")
    (device,) = load_rig(file).board.connected
    assert (device.bus, device.baud) == ("USART3", 9600)
