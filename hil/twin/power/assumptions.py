# SPDX-License-Identifier: Apache-2.0
"""What the supply current and the part's behaviour rest on where no document gives a figure."""

from typing import Final

ASSUMPTIONS: Final[tuple[tuple[str, str], ...]] = (
    (
        "part_spread",
        'Every current is the datasheet\'s typical value; with [twin] spread = "seeded" each lies the same '
        "fraction of the way to its maximum, which the seed draws uniformly. Times, wake-up "
        "currents and all frequencies but the LSI's, which the seed draws from its range at 3 V and 30 °C, "
        "do not spread.",
    ),
    (
        "run_code",
        "Run current is that of the datasheet's reduced code, from flash with ART on or off or from SRAM1, "
        "and with ART on or from SRAM1 what instructions and words accessed in a cycle add or take off. "
        "Fitted to the rows by code, this leaves an uncertainty of every energy of a running program: from "
        "flash 1 % in range 1, 3 % in range 2, 5 % in low-power run; from SRAM1 3 %, 7 % and 8 %. With ART "
        "off no row by code is on file: 8 %, the span of those with ART on. Code that streams data from "
        "flash, such as a network's weights, may draw up to 85 % more: boards with an STM32L4R5 drew 192 to "
        "238 pC a cycle (MLPerf Tiny, ad01), the tables' code 129. Multiplications and floating point count "
        "as other instructions. The instruction cache alone decides whether ART counts as on, and "
        "where the code ran when a register last changed what the part draws decides the memory. Wake-up "
        "from Stop to code in SRAM2 takes as long as to code in SRAM1.",
    ),
    (
        "run_code_steps",
        "What a program draws beyond the tables' code is spread evenly between two changes of anything that "
        "the current depends on, rising edges of outputs and readings of the current; a watched threshold "
        "compares without it.",
    ),
    (
        "spi_open_lines",
        "An NSS input that no pin is routed to reads low. A device that samples at the other edge of the "
        "clock takes every bit one clock late. A target without data sends zeros.",
    ),
    (
        "serial_lines",
        "A CTS input that no pin is routed to reads low. With the highest bit first, a UART's parity bit is "
        "still the last one. DE stays inactive during the idle frame that enabling the transmitter sends. In "
        "half-duplex mode a UART receives its own frame when the frame ends. HSI16, which a UART or an I2C "
        "starts in Stop to receive with, is there at once and draws nothing until the part wakes. Two I2C "
        "controllers never arbitrate: the second START waits for the STOP.",
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
        "48 MHz: what else oscillates (MSI, HSI16, an HSE crystal, LSE, LSI, a PLL at or below 48 MHz) is "
        "added with its own typical current. The crystal's is that of 8 MHz.",
    ),
    (
        "hse_bypass",
        "The HSE gets ready at once with HSEBYP where the board feeds it a clock, and within the typical "
        "time of an 8 MHz crystal without HSEBYP where it has a crystal. With the other setting it never "
        "gets ready. After a failure of the HSE the system clock goes over to MSI or HSI16 at once. Without "
        "the clock security system a program whose clock fails goes on in this model.",
    ),
    (
        "run_gpio_switching",
        "A rising edge of an output draws VDD times the capacitance of pad (5 pF) and load at once; the bits "
        "of a USART frame are not edges here. An output holds its full level into any load.",
    ),
    (
        "timer_triggers",
        "The timers' internal triggers ITR0 to ITR3 are those of the other STM32 with the same timers; a "
        "master's trigger output is a pulse, whose level gates no slave. Input filters and the prescaler of "
        "ETR pass every edge at once, and clocks that a timer captures keep their phase from time zero.",
    ),
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
    (
        "lcd_current",
        "The LCD controller adds in every mode what it adds in Stop 1 and 2 (Tables 45 and 46), with any "
        "setting and clock. Its converter is ready at once, and no glass loads it.",
    ),
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
    (
        "debug_standby",
        "With DBG_STANDBY the part is in reset while it is in Standby or Shutdown: SRAM and debug port stay, "
        "and a halt that the debugger asks for comes with the wake-up.",
    ),
    (
        "pwr_read",
        "PWR answers loads without its bus clock (PWREN); stores then are lost.",
    ),
    (
        "oscillator_trim",
        "A step of MSITRIM changes the MSI by 0.3 %, as the typical one of HSITRIM does HSI16 (Table 59); "
        "the larger step at multiples of 64 of the calibration code does not happen.",
    ),
    ("dbg_sleep", "DBGMCU_CR.DBG_SLEEP adds nothing to Sleep."),
    (
        "adc_enabled",
        "An enabled ADC draws Table 76's current at its conversion rate, linear between the rows and "
        "not less than the lowest row, in every mode; the regulator alone (ADVREGEN) adds nothing.",
    ),
    (
        "dac_output",
        "The DAC's output is VREF+ times its code / 4096 into any load, from the instant of its trigger on, "
        "in every Stop mode too. Its buffer reaches both rails. A calibration finds the buffer's trimming at "
        "0x11, and the trimming moves no output. A digital driver overrides it, an analog one does not.",
    ),
    (
        "analog_supply",
        "DAC, comparators and amplifiers add what Table 51 prints for their bus clocks; no figure of their "
        "analog parts is on file.",
    ),
    (
        "comparator_watch",
        "A comparator has no delay. It looks at wires that no digital level drives every 2 us, up to 100 us "
        "ahead, so that it sees a new level of an instrument's output up to 100 us late. With an open input "
        "its output is low before the polarity.",
    ),
    (
        "opamp_output",
        "An amplifier has no delay and no offset. It reaches both rails into any load, and an open input "
        "counts as 0 V.",
    ),
    (
        "exti_masked_line",
        "An EXTI line that is masked for interrupt and event sets its pending bit at its selected edges.",
    ),
    (
        "exti_trigger",
        "An EXTI line triggers a converter at its selected edges while its interrupt or its event is "
        "unmasked.",
    ),
    (
        "held_in_reset",
        "Held in reset, by NRST or by a brown-out level above 0, the part draws the Sleep current at MSI 4 "
        "MHz in range 1; below the threshold of level 0 nothing. A brown-out loses all SRAM and keeps the "
        "backup domain down to the lowest VBAT.",
    ),
    (
        "backup_switch",
        "The backup domain changes over to VBAT where the detector of brown-out level 0 fires, whichever "
        "level the option bytes select, and back where it lets go; a cell at VBAT gives nothing while VDD "
        "supplies the domain.",
    ),
    (
        "shutdown_unmonitored",
        "In Shutdown no brown-out detector works: the part stays there down to the lowest VBAT, where it and "
        "the backup domain are lost even with a cell at VBAT.",
    ),
    (
        "nrst_pull_up",
        "NRST pulled low from outside adds VDD over the typical pull-up resistance (Table 73).",
    ),
    (
        "flash_busy",
        "Writing and erasing flash draw their peak current first, then evenly what makes the average over a "
        "double word or a page the printed one (Table 63).",
    ),
    ("cold", "Below 25 °C the tables' 25 °C column holds."),
    ("outside_tables", "Beyond the printed voltages and temperatures the nearest printed figure holds."),
    (
        "lprun_until_reglpf",
        "After LPR was cleared the part is in low-power run until REGLPF falls; Stop 2 asked for before "
        "is Stop 1, as in low-power run.",
    ),
    (
        "errata_worst_case",
        "What the errata sheet (Rev 4) says may happen always happens: a late write of PWR_CR4 is lost "
        "(2.1.9); after the MSI was switched off at 24 MHz or above the part does not finish the entry of "
        "a low-power mode but waits with its clocks on (2.1.15); Stop 1 and 2 with ADC and temperature "
        "sensor on end in a brown-out reset (2.1.19). The overshoot of the MSI (2.1.18) is not modelled: "
        "it has no figure.",
    ),
    (
        "late_cr4_write",
        "A write of PWR_CR4 is late if a low-power mode is entered within 16 HCLK cycles of it and PWR "
        "was not accessed in between.",
    ),
    (
        "wakeup_level",
        "A WKUP pin that is enabled while it has its active level sets its flag at once.",
    ),
    (
        "left_on_in_stop",
        "PVD, PVM, VREFBUF, ADC, VREFINT buffer, temperature sensor and switch booster that software "
        "left on draw in every mode but Standby and Shutdown what their own tables say; the datasheet "
        "does not characterise them in Stop.",
    ),
    (
        "switch_booster",
        "The I/O analog switches' booster draws its maximum (Table 75 has no typical figure).",
    ),
    (
        "floating_input",
        "A digital input with a level that nothing defines draws 2 uA: an STM32L151 with its 51 pins "
        "left so drew 100 uA more (measured, RIOT pull request 10052). So does an enabled WKUP pin in "
        "Standby and Shutdown; PA2 draws 300 uA then (the console line of Nucleo L4 boards, measured, RIOT "
        "pull request 11173). Alternate functions do not count. No document has a figure for the L4.",
    ),
    ("board_led", "The board's LED LD2 at PA5 draws nothing: UM1724 gives no current for it."),
    (
        "rtc_calibration",
        "The RTC's smooth calibration masks and inserts its pulses evenly instead of in bursts, and acts on "
        "the calendar and on what counts its seconds; the wake-up timer on a divided RTCCLK is not "
        "calibrated.",
    ),
    (
        "wakeup_timer_start",
        "The RTC's wake-up timer starts with the write of WUTE, without synchronisation delay.",
    ),
    (
        "reserved_addresses",
        "Reserved addresses behind the two APB bridges (where other parts have a CRS, for one) read as zero "
        "and ignore writes, and the twin says so once for each; those of the AHB are bus faults.",
    ),
    ("floating_adc_input", "An open ADC input converts to the voltage that was sampled last."),
)
"""(id, text). Where one shapes a particular line of code, a comment there names its id."""
