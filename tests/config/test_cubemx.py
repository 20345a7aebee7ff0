# SPDX-License-Identifier: Apache-2.0
"""What is taken from an .ioc, and what in it is wrong for a board."""

import dataclasses
import re
from pathlib import Path

import pytest

from hil.boards import REFERENCE, Board
from hil.config.cubemx import CubeMx, read_ioc
from hil.errors import ConfigError
from tests.config.ioc_files import SOUND, WRONG

BOARD = Board.load(REFERENCE)


def read(folder: Path, text: str) -> CubeMx:
    file = folder / "board.ioc"
    file.write_text(text, "latin-1")
    return read_ioc(file)


def test_what_a_rig_takes_from_it(tmp_path: Path) -> None:
    project = read(tmp_path, SOUND)
    assert project.part == "stm32l476rgtx"
    assert project.labels == {"PA0": "VIBRATION", "PB10": "AWAKE"}
    assert project.roles == {"sensor": "PA0", "marker_active": "PB10"}
    assert project.consoles == {"USART2": 9600}
    assert (project.hclk_hz, project.lse, project.wake_period_s) == (24e6, True, 10.0)
    assert (project.hse, project.rtc_on_lsi, project.free_pins_analog) == (False, False, True)
    assert (project.supply_voltage_v, project.ambient_temperature_c) == (3.0, 25.0)
    assert list(project.findings(BOARD)) == []


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    told = "\n".join(read(tmp_path, WRONG).findings(BOARD))
    for wrong in (
        "it is for stm32l475vgtx",
        "PA13 is GPIO_Output: the debug port is gone",
        "PA14 is not set to SWD",
        "PD11 is no pin of the LQFP64",
        "HCLK is 100 MHz, above the part's 80 MHz",
        "USART1 sends, and the probe's serial port is on USART2",
        "PC5 is a digital input without a pull",
    ):
        assert wrong in told


def test_a_crystal_that_the_board_lacks_is_named(tmp_path: Path) -> None:
    without = dataclasses.replace(BOARD, lse_hz=None)
    assert any("uses the LSE" in finding for finding in read(tmp_path, SOUND).findings(without))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "PB10.Signal=GPIO_Output",
            "PB10.Signal=TIM3_CH1",
            "PB10 cannot be TIM3_CH1: that is on PA6, PB4, PC6",
        ),
        ("SH.ADCx_IN5.0=ADC1_IN5", "SH.ADCx_IN5.0=TIM2_CH2", "PA0 cannot be TIM2_CH2: that is on PA1, PB3"),
        ("PC4.Signal=GPIO_Input", "PH0-OSC_IN.Signal=RCC_OSC_IN", "uses the HSE, .* take the MSI or HSI16"),
        ("RCC.RTCFreq", "RCC.SYSCLKSource=RCC_SYSCLKSOURCE_HSE\nRCC.RTCFreq", "uses the HSE"),
        ("CLKSOURCE_LSE", "CLKSOURCE_LSI", "its RTC runs on the LSI, .*: take the LSE"),
        (
            "RCC.RTCClockSelection=RCC_RTCCLKSOURCE_LSE\nRCC.RTCFreq_Value=32768",
            "RCC.RTCFreq_Value=32000",
            "its RTC runs on the LSI",
        ),
        ("FreePins=true", "FreePins=false", r"4\d unused pins .*: set them to analog"),
        ("PCC.Vdd=3.0", "PCC.Vdd=5.0", "the power calculator has 5 V, and the part takes 1.71 to 3.6 V"),
    ],
)
def test_one_mistake_is_one_line_that_says_what_to_do(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in SOUND
    (finding,) = read(tmp_path, SOUND.replace(old, new)).findings(BOARD)
    assert re.search(told, finding)


@pytest.mark.parametrize(
    ("clock", "counter", "period_s"),
    [
        ("RTC_WAKEUPCLOCK_RTCCLK_DIV16", "2047", 1.0),
        ("RTC_WAKEUPCLOCK_CK_SPRE_17BITS", "0", 65537.0),
        ("RTC_WAKEUPCLOCK_CK_SPRE_16BITS", "MY_PERIOD - 1", None),
        ("", "9", None),
    ],
)
def test_the_wake_up_period_is_known_or_left_open(
    tmp_path: Path, clock: str, counter: str, period_s: float | None
) -> None:
    text = SOUND.replace("=RTC_WAKEUPCLOCK_CK_SPRE_16BITS", f"={clock}")
    text = text.replace("Counter=9", f"Counter={counter}")
    assert read(tmp_path, text).wake_period_s == period_s


def test_a_wake_up_timer_that_is_off_has_no_period(tmp_path: Path) -> None:
    assert read(tmp_path, SOUND.replace("VP_RTC_VS_RTC_WakeUp", "VP_RTC_VS_RTC_Other")).wake_period_s is None


@pytest.mark.parametrize("text", ["", "\0" * 100, "Mcu.Name=x\n" + "a" * (1 << 20)])
def test_what_is_no_ioc_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no \.ioc file"):
        read(tmp_path, text)


def test_a_label_is_no_command_to_a_terminal(tmp_path: Path) -> None:
    assert read(tmp_path, SOUND.replace("AWAKE", "\x1b[2JAWAKE")).labels["PB10"] == "\\x1b[2JAWAKE"
