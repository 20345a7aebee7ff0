# SPDX-License-Identifier: Apache-2.0
"""`hil explain` names the right cause first for firmwares with a planted one, and none for sound ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.config import load_rig
from hil.firmware.image import Image
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.rig import Rig, State, explanation, open_rig
from hil.rig.core_looks import look
from hil.rig.explanation import Explanation, Verdict
from tests.twin.traps.compiled import compile_traps, with_entry

SIM = Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml"
SEED = 1
STARTS_S = 5.0

PLANTED = {
    "a1_lpr_set": ("stop2", "PWR_CR1.LPR"),
    "a2_power_clock_off": ("stop2", "PWR_CR1.LPMS is 0"),
    "a3_mode_left_at_reset": ("stop2", "PWR_CR1.LPMS is 0"),
    "line_left_pending": ("stop2", "EXTI_PR1"),
    "rtc_flag_left": ("stop2", "RTC_ISR"),
    "a5_tick_left_running": ("stop2", "SCB_SCR.SLEEPDEEP"),
    "a7_fast_msi_stopped": ("stop2", "RCC_CR.MSION"),
    "b1_debug_in_stop": ("stop2", "DBGMCU_CR"),
    "c1_hsi16_kept_on": ("stop2", "RCC_CR.HSIKERON"),
    "c2_crystal_driven_hard": ("stop2", "RCC_BDCR.LSEDRV"),
    "c5_voltage_detector_on": ("stop2", "PWR_CR2.PVDE"),
    "c6_monitors_on": ("stop2", "PWR_CR2.PVME"),
    "c7_reference_buffer_on": ("stop2", "VREFBUF_CSR"),
    "c8_adc_left_on": ("stop2", "ADC1_CR.ADEN"),
    "c9_switch_booster_on": ("stop2", "SYSCFG_CFGR1.BOOSTEN"),
    "c10_flash_on_in_low_power_sleep": ("lpsleep", "FLASH_ACR.SLEEP_PD"),
    "d1_inputs_left_floating": ("stop2", "digital inputs without a pull"),
    "d6_console_pin_wakes": ("standby", "PA2"),
    "marker_left_high": ("stop2", "drives PB10"),
    "button_pulled_down": ("stop2", "pulls PC13 down"),
    "sensor_line_pulled_up": ("stop2", "pulls PA0"),
    "stop_1_chosen": ("stop2", "PWR_CR1.LPMS is 1"),
    "hsi16_and_adc": ("stop2", "RCC_CR.HSIKERON"),
    "lsi_beside_the_quartz": ("stop2", "RCC_CSR.LSION"),
    "sram2_retained": ("standby", "PWR_CR3.RRS"),
    "one_monitor_on": ("stop2", "PWR_CR2.PVME is 0x8"),
    "never_deep": ("stop2", "SCB_SCR.SLEEPDEEP"),
    "standby_for_shutdown": ("shutdown", "the part enters standby, not shutdown"),
    "detector_and_reference_buffer": ("stop2", "VREFBUF_CSR"),
    "interrupt_pending": ("stop2", "NVIC_ISPR0"),
    "low_power_run_and_adc": ("stop2", "ADC1_CR.ADEN"),
}
"""By the entry that falls into the trap: the mode that its owner means, and what has to be named first."""

SOUND = {
    "a1_lpr_set": "stop2",
    "a3_mode_left_at_reset": "stop2",
    "rtc_flag_left": "stop2",
    "c1_hsi16_kept_on": "stop2",
    "c2_crystal_driven_hard": "stop2",
    "c6_monitors_on": "stop2",
    "c8_adc_left_on": "stop2",
    "c10_flash_on_in_low_power_sleep": "lpsleep",
    "d1_inputs_left_floating": "stop2",
    "sram2_retained": "standby",
    "standby_for_shutdown": "shutdown",
}
"""Entries that avoid a trap, by what they are meant to do."""


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with open_rig(load_rig(str(SIM)), ("--seed", str(SEED))) as opened:
        yield opened


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return compile_traps(tmp_path_factory.mktemp("planted"), [Path(__file__).with_name("planted.c")])


def explained(rig: Rig, image: Image, meant: str) -> Explanation:
    """What `hil explain` finds."""
    instrument = RigAccuracy(rig.config).mean_current_a
    looks = look(rig, image)
    rig.to(State.MEASURING, image, restart=True)
    rig.clock.sleep(STARTS_S)
    measured = explanation.floor_of(explanation.log_current(rig), instrument)
    why = explanation.explain(rig, image, looks, measured, instrument, meant)
    print("\n".join((str(looks), *why.lines())))
    return why


@pytest.mark.short_form(1)
@pytest.mark.parametrize("name", PLANTED)
def test_the_planted_cause_comes_first(rig: Rig, traps: Image, name: str) -> None:
    meant, first = PLANTED[name]
    why = explained(rig, with_entry(traps, f"{name}_trap"), meant)
    assert why.findings
    assert first in str(why.findings[0])


@pytest.mark.short_form(1)
@pytest.mark.parametrize("name", SOUND)
def test_a_sound_firmware_raises_no_alarm(rig: Rig, traps: Image, name: str) -> None:
    why = explained(rig, with_entry(traps, f"{name}_avoided"), SOUND[name])
    assert why.verdict is Verdict.WITHIN
    assert not [found for found in why.findings if found.proven]


def test_what_ran_before_leaves_nothing_to_explain(rig: Rig, traps: Image) -> None:
    """The flash still holds it at the power-on before it is replaced."""
    assert look(rig, with_entry(traps, "sram2_retained_trap")).left_standby
    assert not look(rig, with_entry(traps, "hsi16_and_adc_avoided")).left_standby
