# SPDX-License-Identifier: Apache-2.0
"""What the supply current and the part's behaviour rest on where no document gives a figure."""

from typing import Final

ASSUMPTIONS: Final[tuple[tuple[str, str], ...]] = (
    ("typical_part", "Every figure is the datasheet's typical value; parts do not differ."),
    (
        "run_code",
        "Run current is that of the datasheet's reduced code, from flash with ART on or off or from SRAM1, "
        "whatever the program does; the instruction cache alone decides whether ART counts as on, and "
        "where the code ran when a register last changed what the part draws decides the memory. Wake-up "
        "from Stop to code in SRAM2 takes as long as to code in SRAM1.",
    ),
    ("run_vdd", "Run and Sleep current do not depend on VDD: Tables 27 to 44 have no voltage column."),
    (
        "run_low_clock",
        "Below the lowest clock of a Run or Sleep table its last segment is continued (range 1 begins "
        "at 16 MHz).",
    ),
    (
        "run_oscillators",
        "Run and Sleep tables of the main regulator are with a bypassed HSE, and with the PLL above "
        "48 MHz: what else oscillates (MSI, HSI16, LSE, LSI, a PLL at or below 48 MHz) is added with "
        "its own typical current.",
    ),
    ("run_gpio_switching", "No current for switching I/O pins and their loads."),
    ("peripheral_rows", "A peripheral without a row in Table 51 on file adds nothing."),
    (
        "msi_wakeup_interpolation",
        "Wake-up times and currents for MSI ranges between those of Tables 45, 46 and 52 are "
        "interpolated linearly in the clock period, whichever voltage range the table names.",
    ),
    (
        "standby_iwdg",
        "The IWDG adds to Standby at every temperature, and with the RTC on the LSE, what Table 48 prints "
        "for it at 25 °C, without RTC or with the RTC on the LSI.",
    ),
    ("stop0_wakeup_current", "The current while waking from Stop 0 is that of Stop 1."),
    ("stop0_rtc", "The RTC adds to Stop 0 what it adds to Stop 1 (Table 47 is without RTC)."),
    (
        "stop_lpr",
        "Stop 0 selected with the low-power regulator (LPR) is Stop 1: the main regulator is off.",
    ),
    (
        "stop_lse_drive",
        "A higher LSE drive adds to the low-power modes what Table 58 gives it above the lowest drive.",
    ),
    (
        "dbg_stop",
        "With DBGMCU_CR.DBG_STOP the part in Stop draws the Sleep current at the wake-up clock (MSI "
        "or HSI16), which keeps HCLK and FCLK running; likewise Standby and Shutdown with "
        "DBG_STANDBY. No figure exists for the L476.",
    ),
    ("dbg_sleep", "DBGMCU_CR.DBG_SLEEP adds nothing to Sleep."),
    (
        "adc_enabled",
        "An enabled ADC draws Table 76's current at its conversion rate, linear between the rows and "
        "not less than the lowest row, in every mode; the regulator alone (ADVREGEN) adds nothing.",
    ),
    ("held_in_reset", "Held in reset the part draws the Sleep current at MSI 4 MHz in range 1."),
    (
        "nrst_pull_up",
        "NRST pulled low from outside adds VDD over the typical pull-up resistance (Table 73).",
    ),
    ("flash_busy", "Writing and erasing flash add their average, not their peak, current (Table 63)."),
    ("cold", "Below 25 °C the tables' 25 °C column holds."),
    ("outside_tables", "Beyond the printed voltages and temperatures the nearest printed figure holds."),
    (
        "stop_refused",
        "A pending EXTI line makes the part ignore the request for Stop: the twin's core then waits "
        "in Sleep, where a real one runs on.",
    ),
    ("board_led", "The board's LED LD2 at PA5 draws nothing: UM1724 gives no current for it."),
    (
        "wakeup_timer_start",
        "The RTC's wake-up timer starts with the write of WUTE, without synchronisation delay.",
    ),
    ("floating_adc_input", "An open ADC input converts to the voltage that was sampled last."),
)
"""(id, text). Where one shapes a particular line of code, a comment there names its id."""
