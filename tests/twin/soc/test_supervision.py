# SPDX-License-Identifier: Apache-2.0
"""What watches over supply, crystal and read protection."""

PVDE, PVDO, EXTI_16, EXTI_19 = 1, 1 << 11, 1 << 16, 1 << 19
LSEON, LSERDY, LSECSSON, LSECSSD = 1, 2, 1 << 5, 1 << 6


def test_voltage_detector_compares_with_hysteresis_and_raises_line_16(part):
    part.enable_clock(0x58, 28)
    part.set_bits("EXTI", 0x08, EXTI_16)
    part.write("PWR", 0x04, PVDE | 4 << 1)
    assert not part.read("PWR", 0x14) & PVDO
    for voltage_v, low in ((2.7, False), (2.6, True), (2.7, True), (2.8, False)):  # 2.64 V and 2.74 V: T25
        part.mcu.set_supply_voltage(voltage_v)
        assert bool(part.read("PWR", 0x14) & PVDO) is low
    assert part.read("EXTI", 0x14) == EXTI_16


def test_crystal_failure_is_seen_by_the_clock_security_system(part):
    part.enable_clock(0x58, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.set_bits("EXTI", 0x08, EXTI_19)
    part.write("RCC", 0x18, 1 << 9)
    part.write("RCC", 0x90, LSEON)
    part.advance(2.1)
    part.write("RCC", 0x90, LSEON | LSECSSON)
    part.mcu.peripherals.rcc.stop_lse_crystal()
    assert part.read("RCC", 0x90) == LSEON | LSECSSD
    assert part.read("EXTI", 0x14) == EXTI_19
    assert part.read("RCC", 0x1C) == 1 << 9
    part.write("RCC", 0x90, 0)
    part.write("RCC", 0x90, LSEON)
    part.advance(2.1)
    assert part.read("RCC", 0x90) & LSERDY


def test_rtc_clock_may_be_chosen_anew_after_a_crystal_failure_alone(part):
    lse, lsi, rtcen = 1 << 8, 2 << 8, 1 << 15
    part.enable_clock(0x58, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x90, LSEON)
    part.advance(2.1)
    part.write("RCC", 0x90, LSEON | LSECSSON | lse | rtcen)
    part.write("RCC", 0x90, LSEON | LSECSSON | lsi | rtcen)
    assert part.read("RCC", 0x90) & 3 << 8 == lse
    part.mcu.peripherals.rcc.stop_lse_crystal()
    part.write("RCC", 0x90, lsi | rtcen)  # RM0351, RCC_BDCR.RTCSEL
    assert part.read("RCC", 0x90) & 3 << 8 == lsi


def test_options_are_programmed_and_one_without_model_is_named(part):
    for register, keys in ((0x08, (0x4567_0123, 0xCDEF_89AB)), (0x0C, (0x0819_2A3B, 0x4C5D_6E7F))):
        for key in keys:
            part.write("FLASH", register, key)
    part.write("FLASH", 0x20, 0xFF7F_F9AA)
    assert part.read("FLASH", 0x20) == 0xFF7F_F9AA
    names = [access.register for access in part.mcu.peripherals.unmodelled.accesses]
    assert names == ["FLASH.OPTR bit 20 (BFB2), bit 23 (nBOOT1)"]
    part.write("FLASH", 0x14, 1 << 17)
    part.advance(0.05)
    part.write("FLASH", 0x14, 1 << 27)
    part.advance(1e-3)
    assert part.read("FLASH", 0x20) == 0xFF7F_F9AA
    assert part.read("RCC", 0x94) >> 24 & 2
