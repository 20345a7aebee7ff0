/* SPDX-License-Identifier: Apache-2.0 */
#include "modes.h"

#include <stddef.h>

#include "board.h"
#include "clock.h"
#include "command.h"
#include "cortex_m4.h"
#include "power.h"
#include "registers.h"
#include "rtc.h"

#define PLAN_LPRUN 2u

static const char *const mode_names[] = {MODE_NAMES};

power_mode_t mode_named(const char *name)
{
    for (size_t i = MODE_RUN; i < sizeof mode_names / sizeof mode_names[0]; i++) {
        if (command_is(name, mode_names[i])) {
            return (power_mode_t)i;
        }
    }
    return MODE_NONE;
}

static void select_deep_sleep(power_mode_t mode)
{
    static const uint32_t codes[] = {POWER_STOP0, POWER_STOP1, POWER_STOP2, POWER_STANDBY, POWER_SHUTDOWN};
    PWR->SCR = PWR_SCR_CWUF1 | PWR_SCR_CWUF2 | PWR_SCR_CWUF3 | PWR_SCR_CWUF4 | PWR_SCR_CWUF5 | PWR_SCR_CSBF;
    PWR->CR3 &= ~PWR_CR3_EIWUL; /* the RTC wakes nobody */
    EXTI->PR1 = EXTI->PR1;
    power_select(codes[mode - MODE_STOP0]);
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
}

void mode_enter(power_mode_t mode)
{
    board_console_pins(BOARD_CONSOLE_PARKED);
    board_sleep_clocks_off();
    rtc_stop_wakeup();
    interrupts_disable();
    if (mode == MODE_LPRUN || mode == MODE_LPSLEEP) {
        clock_enter_plan(PLAN_LPRUN);
        clock_flash_off_in_sleep(mode == MODE_LPSLEEP);
    } else if (mode >= MODE_STOP0) {
        select_deep_sleep(mode);
    }
    for (;;) {
        if (mode != MODE_RUN && mode != MODE_LPRUN) {
            wait_for_interrupt();
        }
    }
}
