# SPDX-License-Identifier: Apache-2.0
"""docs/how_to_add_a_part.md, followed word by word outside of the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from hil.boards import Board
from hil.config import load_rig
from hil.datasheet.figures import DatasheetError
from hil.errors import ConfigError, ImageError
from hil.firmware.build import build
from hil.firmware.image import Image
from hil.parts import Part
from hil.twin import bench_config
from hil.twin.bench import Bench

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "how_to_add_a_part.md").read_text(encoding="utf-8")
PART, BOARD, RIG = re.findall(r"```toml .*?\n(.*?)```", PAGE, re.DOTALL)
HALF = 512 * 1024


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Somebody's folder with a part, a board and a rig file."""
    (tmp_path / "stm32l476re").mkdir()
    (tmp_path / "stm32l476re" / "part.toml").write_text(PART, encoding="utf-8")
    (tmp_path / "my_board.toml").write_text(BOARD, encoding="utf-8")
    (tmp_path / "ours.toml").write_text(RIG, encoding="utf-8")
    return tmp_path


def test_a_rig_file_uses_a_part_of_somebody_else(desk: Path) -> None:
    board = load_rig(desk / "ours.toml").board.definition
    assert (board.title, board.part.title) == ("A board of ours", "STM32L476xE")
    assert board.part.flash.size == HALF
    assert board.part.sram1 == Part.load("stm32l476").sram1
    assert board.part.fact("lsi") == Part.load("stm32l476").fact("lsi")


def test_the_firmware_is_built_for_it_and_has_room(desk: Path) -> None:
    board = load_rig(desk / "ours.toml").board.definition
    image = Image.load(build(board=board.firmware), board.part.flash)
    assert image.segments[-1].address + len(image.segments[-1].data) <= board.part.flash.end


def test_an_image_beyond_half_the_flash_is_refused(desk: Path, tmp_path: Path) -> None:
    flash = Board.load("my_board.toml", desk).part.flash
    content = bytearray(build().read_bytes())
    # The physical address of the first loadable segment (program header, p_paddr) goes to the other half.
    place = int.from_bytes(content[28:32], "little") + 12
    assert int.from_bytes(content[place : place + 4], "little") == flash.base
    content[place : place + 4] = flash.end.to_bytes(4, "little")
    (tmp_path / "far.elf").write_bytes(content)
    Image.load(tmp_path / "far.elf")
    with pytest.raises(ImageError, match="addresses in flash, 0x08000000 to 0x08080000"):
        Image.load(tmp_path / "far.elf", flash)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('part = "stm32l476re"', 'part = "stm32l4"', "no part 'stm32l4'; expected stm32l475, stm32l476"),
        ('package = "LQFP64"', 'package = "DIP8"', "comes in LQFP64, LQFP100, not 'DIP8'"),
        ('rx = "PA3"', 'rx = "PD3"', "console.rx: the LQFP64 package of the STM32L476xE has no pin 'PD3'"),
        ('hse = "none"', "hse = 8_000_000", "clocks.hse_source: expected crystal or clock, not None"),
        ('vref = "VDDA"', 'vref = "open"', "ties.vref: expected VDDA, not 'open'"),
        ("regulator = 3.3", "regulater = 3.3", "no key 'supply.regulater'"),
        ('jumper = "J1"\n', "", "the key 'jumper' is missing"),
    ],
)
def test_what_a_board_cannot_be_is_refused_in_one_line(desk: Path, old: str, new: str, message: str) -> None:
    (desk / "my_board.toml").write_text(BOARD.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rig(desk / "ours.toml")
    assert message in str(caught.value)
    assert "ours.toml:4" in str(caught.value)


@pytest.mark.parametrize(("pin", "line"), [("PA2", "console"), ("PA14", "debug")])
def test_a_wire_on_a_pin_of_the_probe_is_refused(desk: Path, pin: str, line: str) -> None:
    wire = f'[wiring]\nmarker_active = {{ pin = "{pin}", terminal = "Dev1/ctr1" }}\n'
    daq = '[daq]\ndriver = "nidaqmx"\ndevice = "Dev1"\n'
    sim = tomllib.loads((PROJECT / "rig_configs" / "sim.toml").read_text(encoding="utf-8"))["daq"]
    daq += f'timebase_accuracy = "{sim["timebase_accuracy"]}"\ntimebase_source = "a test"\n'
    daq += 'analog_output = { gain = "0 %", offset = "0 V", source = "a test" }\n'
    (desk / "ours.toml").write_text(f"{RIG}\n{daq}\n{wire}", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"wires pin {pin} to its probe's {line} line"):
        load_rig(desk / "ours.toml")


def test_a_part_that_extends_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "part.toml").write_text('extends = "loop"\n', encoding="utf-8")
    with pytest.raises(DatasheetError, match="extends itself through 'loop'"):
        Part.load(str(tmp_path / "loop"))


def test_a_line_of_its_own_lies_over_the_one_beneath(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "part.toml").write_text('extends = "stm32l476"\n', encoding="utf-8")
    line = '[[fact]]\nid = "lsi_start"\ntyp = 7\nunit = "us"\nsource = "a test"\n'
    (tmp_path / "other" / "timing.toml").write_text(line, encoding="utf-8")
    part = Part.load(str(tmp_path / "other"))
    assert part.fact("lsi_start").typ == 7e-6
    assert len(part.fact_ids) == len(Part.load("stm32l476").fact_ids)


def test_what_a_part_lacks_is_not_on_file() -> None:
    assert Part.load("stm32l476").supply_current("stop2_rtc_lsi_lcd", 3.0, 25.0).typ == 1.69e-6
    with pytest.raises(DatasheetError, match="'stop2_rtc_lsi_lcd' is on file"):
        Part.load("stm32l475").supply_current("stop2_rtc_lsi_lcd", 3.0, 25.0)


def test_the_virtual_bench_has_its_memories(desk: Path) -> None:
    tables = tomllib.loads((desk / "ours.toml").read_text(encoding="utf-8"))
    core = Bench(bench_config.parse(tables, str(desk / "ours.toml"))).mcu.core
    assert core.memory["flash"].size == 524288
    assert core.memory.view(0x0808_0000, 4) is None


def test_the_linker_s_memories_are_the_part_s() -> None:
    script = (PROJECT / "firmware" / "stm32l476rg.ld").read_text(encoding="ascii")
    stated = re.findall(r"ORIGIN = (0x[0-9a-f]+), LENGTH = (\d+)K", script)
    part = Part.load("stm32l476")
    assert [(int(base, 16), int(size) * 1024) for base, size in stated] == [
        (memory.base, memory.size) for memory in (part.flash, part.sram1)
    ]
