/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest.h"

#include "adc.h"
#include "clock.h"
#include "cortex_m4.h"
#include "crc.h"
#include "mutant.h"
#include "registers.h"
#include "rtc.h"

/* From the linker script. */
extern uint32_t stack_top[], ram_start[];
extern const uint8_t flash_start[], flash_end[];

#define CALENDAR_HZ 256u     /* on the LSE; 250 on the LSI */
#define LSI_TOLERANCE_PERCENT 9u
#define SUPPLY_MIN_MV 1710u  /* DS10198 Rev 8, table 23 */
#define SUPPLY_MAX_MV 3600u

/* DS10198 Rev 8, table 8: the reference as converted at 3.0 V in production. */
#define VREFINT_CAL (*(const volatile uint16_t *)0x1FFF75AAu)
#define VREFINT_CAL_MV 3000u

bool selftest_ram(void)
{
    bool passed = true;
    uint32_t masked = interrupts_save();
    for (volatile uint32_t *word = ram_start; word != stack_top; word++) {
        uint32_t kept = *word;
        *word = ~kept;
        passed = passed && (*word ^ kept) == UINT32_MAX; /* cppcheck-suppress knownConditionTrueFalse ; volatile */
        *word = kept;
        passed = passed && (*word ^ kept) == 0u; /* cppcheck-suppress knownConditionTrueFalse ; volatile */
    }
    interrupts_restore(masked);
    return passed;
}

bool selftest_flash(uint32_t *crc32)
{
    FLASH->ECCR |= FLASH_ECCR_ECCC | FLASH_ECCR_ECCD; /* cleared by writing 1 */
    *crc32 = crc32_ieee(flash_start, (uint32_t)((uintptr_t)flash_end - (uintptr_t)flash_start));
    return (FLASH->ECCR & (FLASH_ECCR_ECCC | FLASH_ECCR_ECCD)) == 0u;
}

bool selftest_clock(void)
{
    bool crystal = rtc_on_crystal();
    uint32_t tolerance = SELFTEST_CLOCK_TOLERANCE_PERCENT + (crystal ? 0u : LSI_TOLERANCE_PERCENT);
    uint32_t expected = CLOCK_IDLE_HZ / (crystal ? CALENDAR_HZ : 250u) * RTC_GATE_TICKS;
    DCB_DEMCR |= DCB_DEMCR_TRCENA;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA;
    uint32_t cycles = rtc_count_cycles();
    uint32_t difference = cycles > expected ? cycles - expected : expected - cycles;
    return difference <= expected / 100u * tolerance;
}

bool selftest_adc(uint32_t *supply_mv)
{
    uint32_t code = adc_convert_reference();
    *supply_mv = code == 0u ? 0u : MUTANT_REFERENCE_MV(VREFINT_CAL_MV) * VREFINT_CAL / code;
    /* 1 % for the conversion's own errors: at either end the part still works. */
    return *supply_mv >= SUPPLY_MIN_MV / 100u * 99u && *supply_mv <= SUPPLY_MAX_MV / 100u * 101u;
}
