# SPDX-License-Identifier: Apache-2.0
"""``hil init``: what it writes is read by what reads it, and what is there already is left alone."""

import struct
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hil.cli import project_files
from hil.cli.app import _typer
from hil.config import load_rig
from hil.config.project import load_project
from hil.instruments import discovery
from hil.instruments.discovery import Device, Search
from tests.config.ioc_files import SOUND

FOUND = {
    "debug probe": Search("debug probe", (Device("0672FF5", 'ST-LINK "x" \\1'),)),
    "serial port": Search("serial port", (Device("COM5", "STLink VCP"),)),
    "VISA resource": Search("VISA resource", (Device("USB0::1::INSTR"), Device("USB0::2::INSTR"))),
    "NI device": Search("NI device", problem="DaqNotFoundError: no driver"),
}


def executable() -> bytes:
    """An ELF for the part: a header, and one segment of eight bytes at the beginning of the flash."""
    head = struct.pack("<16s2H5I6H", b"\x7fELF\1\1\1", 2, 40, 1, 0x0800_0001, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    return head + struct.pack("<8I", 1, 84, 0x0800_0000, 0x0800_0000, 8, 8, 5, 4) + bytes(8)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(_typer, ["init", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one image in its build folder, and an ELF for another machine beside it."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "sensor.elf").write_bytes(executable())
    (tmp_path / "build" / "host.elf").write_bytes(b"\x7fELF, of no part of ours")
    return tmp_path


def test_the_only_image_is_found_and_named(folder: Path) -> None:
    said = run(str(folder), "--sim")
    assert "firmware: build/sensor.elf" in said
    assert f"next: cd {folder} && pytest --rig sim" in said
    assert load_project(folder).firmware.image == folder / "build" / "sensor.elf"
    assert not (folder / "rig_configs").exists()
    compile((folder / "tests" / "test_firmware.py").read_text("utf-8"), "test_firmware.py", "exec")


def test_the_period_of_an_ioc_is_what_the_firmware_claims(folder: Path) -> None:
    (folder / "board.ioc").write_text(SOUND, "latin-1")
    said = run(str(folder), "--sim")
    assert ".ioc: board.ioc, see hil ioc check board.ioc" in said
    claims = load_project(folder).firmware
    assert (claims.wake_period_s, claims.hclk_hz) == (10.0, 24e6)
    assert (claims.supply_voltage_v, claims.ambient_temperature_c) == (3.0, 25.0)
    assert "# board.ioc: PB10 is AWAKE" in (folder / "hil.toml").read_text("utf-8")


def test_a_named_ioc_gives_baud_and_pins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "discover", lambda: FOUND)
    for name in ("old.ioc", "mine.ioc"):
        (folder / name).write_text(SOUND.replace("PB10", "PB2") if name == "mine.ioc" else SOUND, "latin-1")
    assert ".ioc: mine.ioc" in run(str(folder), "--ioc", str(folder / "mine.ioc"))
    assert load_project(folder).firmware.baud == 9600
    pins = tomllib.loads((folder / "rig_configs" / "bench.toml").read_text("utf-8"))["wiring"]
    assert pins["marker_active"]["pin"] == "PB2"
    assert pins["marker_inference"]["pin"] == "PA8"  # no label names it


def test_of_two_images_none_is_taken_and_both_are_named(folder: Path) -> None:
    (folder / "other.elf").write_bytes(executable())
    run(str(folder), "--sim")
    assert load_project(folder).firmware.image is None
    text = (folder / "hil.toml").read_text("utf-8")
    assert '# image = "build/sensor.elf"' in text
    assert '# image = "other.elf"  # EDIT: which of them?' in text


def test_what_is_there_is_left_as_it_is(folder: Path) -> None:
    (folder / "hil.toml").write_text("# mine\n", "utf-8")
    (folder / "pyproject.toml").write_text("", "utf-8")
    said = run(str(folder), "--sim")
    assert "left hil.toml as it is" in said
    assert (folder / "hil.toml").read_text("utf-8") == "# mine\n"
    assert not (folder / "pytest.ini").exists(), "pytest has its configuration elsewhere"


def test_a_firmware_for_another_machine_is_refused_before_anything_is_written(folder: Path) -> None:
    done = CliRunner().invoke(
        _typer, ["init", str(folder), "--sim", "--firmware", str(folder / "build/host.elf")]
    )
    assert done.exit_code != 0
    assert not (folder / "hil.toml").exists()


def test_what_was_found_once_is_in_the_rig_file_and_the_rest_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "discover", lambda: FOUND)
    said = run(str(folder))
    assert "VISA resource: USB0::1::INSTR, USB0::2::INSTR" in said
    assert "NI device: not known (DaqNotFoundError: no driver)" in said
    file = folder / "rig_configs" / "bench.toml"
    data = tomllib.loads(file.read_text("utf-8"))
    assert (data["name"], data["probe"]["uid"], data["console"]["port"]) == ("bench", "0672FF5", "COM5")
    assert load_rig(file).name == "bench"


def test_a_text_from_outside_stays_a_text() -> None:
    for text in ('a"b', "a\\b", "a\nb", "a\x7fb", "µ"):
        assert tomllib.loads(f"key = {project_files.toml_text(text)}") == {"key": text}


def test_the_files_are_for_the_board_that_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "discover", lambda: FOUND)
    said = run(str(folder), "--board", "b_l475e_iot01a")
    assert "board: b_l475e_iot01a, B-L475E-IOT01A" in said
    assert "pytest --rig sim-iot01a" in said
    assert "pytest --rig sim-iot01a" in (folder / ".github" / "workflows" / "hil.yml").read_text("utf-8")
    config = load_rig(folder / "rig_configs" / "bench.toml")
    assert (config.board.name, config.board.mcu) == ("b_l475e_iot01a", "stm32l475vg")


def test_the_part_of_an_ioc_says_the_board(folder: Path) -> None:
    assert "STM32L476RGTx" in SOUND
    (folder / "board.ioc").write_text(SOUND.replace("STM32L476RG", "STM32L475VG"), "latin-1")
    assert "board: b_l475e_iot01a" in run(str(folder), "--sim")


def test_an_ioc_of_a_part_without_a_board_is_not_taken(folder: Path) -> None:
    (folder / "other.ioc").write_text(SOUND.replace("STM32L476RG", "STM32F446RE"), "latin-1")
    said = run(str(folder), "--sim")
    assert ".ioc: other.ioc, not taken: it is for stm32f446retx, and the NUCLEO-L476RG" in said
    assert load_project(folder).firmware.wake_period_s is None
    named = ["init", str(folder / "new"), "--sim", "--ioc", str(folder / "other.ioc")]
    done = CliRunner().invoke(_typer, named)
    assert "other.ioc, not taken: it is for stm32f446retx" in str(done.exception)
    assert not (folder / "new").exists()


def test_an_ioc_is_checked_against_the_board_with_its_part(folder: Path) -> None:
    file = folder / "board.ioc"
    file.write_text(SOUND.replace("STM32L476RG", "STM32L475VG"), "latin-1")
    assert "one thing in it is wrong: see hil ioc check board.ioc" in run(str(folder), "--sim")
    said = CliRunner().invoke(_typer, ["ioc", "check", str(file)]).output
    assert "it is for" not in said
    other = CliRunner().invoke(_typer, ["ioc", "check", str(file), "--board", "nucleo_l476rg"]).output
    assert "wrong: it is for stm32l475vgtx, and the NUCLEO-L476RG" in other


def test_a_board_without_rig_files_is_refused_with_those_that_have_some(tmp_path: Path) -> None:
    text = (Path(project_files.boards.__file__).parent / "nucleo_l476rg.toml").read_text("utf-8")
    mine = tmp_path / "mine.toml"
    start, end = text.index("[rigs]"), text.index("[clocks]")
    mine.write_text(text[:start] + text[end:], "utf-8")
    for name, said in ((str(mine), "no rig file to begin with for the board 'mine'"), ("nucleo", "no board")):
        done = CliRunner().invoke(_typer, ["init", str(tmp_path / "new"), "--sim", "--board", name])
        assert done.exit_code != 0
        assert said in str(done.exception)
        assert not (tmp_path / "new").exists()
