/* SPDX-License-Identifier: Apache-2.0 */
/* Loops in which drivers and examples wait; WAIT names the one that this build has. */
#include <stdint.h>

#include "program.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define SYSTICK_CONTROL REGISTER(0xE000E010)
#define SYSTICK_RELOAD REGISTER(0xE000E014)
#define SYSTICK_VALUE REGISTER(0xE000E018)
#define SYSTICK_COUNTFLAG 0x10000u
#define CYCLES REGISTER(0xE0001004)
#define TIM2(offset) REGISTER(0x40000000 + (offset))
#define RTC(offset) REGISTER(0x40002800 + (offset))
#define USART3(offset) REGISTER(0x40004800 + (offset))
#define PORT_C_MODE REGISTER(0x48000800)
#define PORT_C_INPUT REGISTER(0x48000810)
#define BUTTON (1u << 13)

static volatile uint32_t ticks;

void SysTick_Handler(void)
{
    ticks++;
}

static void start_systick(uint32_t reload, uint32_t control)
{
    SYSTICK_RELOAD = reload;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = control;
}

static void start_timer(uint32_t reload)
{
    REGISTER(0x40021058) |= 1u;
    TIM2(0x28) = 79;
    TIM2(0x2C) = reload;
    TIM2(0x14) = 1;
    TIM2(0x10) = 0;
    TIM2(0x00) = 1;
}

static inline void start_rtc(void)
{
    REGISTER(0x40021058) |= 1u << 28;
    REGISTER(0x40007000) |= 1u << 8;
    REGISTER(0x40021094) |= 1u;
    while ((REGISTER(0x40021094) & 2u) == 0) {
    }
    REGISTER(0x40021090) = 0x8200;
}

__attribute__((noinline)) static uint32_t button(void)
{
    return (PORT_C_INPUT & BUTTON) != 0;
}

__attribute__((noinline)) static uint32_t milliseconds(void)
{
    return ticks;
}

uint32_t program(void)
{
    REGISTER(0x4002104C) |= 4u;
    PORT_C_MODE &= ~(3u << 26);
#if WAIT == 0 /* systick_flag */
    start_systick(79999, 5);
    for (uint32_t count = 0; count < 500;) {
        count += (SYSTICK_CONTROL & SYSTICK_COUNTFLAG) != 0;
    }
#elif WAIT == 1 /* systick_value */
    start_systick(0xFFFFFF, 5);
    for (int count = 0; count < 5; count++) {
        uint32_t begin = SYSTICK_VALUE;
        while (((begin - SYSTICK_VALUE) & 0xFFFFFF) < 8000000) {
        }
    }
#elif WAIT == 2 /* cycle_counter */
    REGISTER(0xE000EDFC) |= 1u << 24;
    REGISTER(0xE0001000) |= 1;
    uint32_t begin = CYCLES;
    while (CYCLES - begin < 40000000) {
    }
#elif WAIT == 3 /* timer_count */
    start_timer(0xFFFFFFFF);
    uint32_t begin = TIM2(0x24);
    while (TIM2(0x24) - begin < 500000) {
    }
#elif WAIT == 4 /* timer_flag */
    start_timer(499999);
    while ((TIM2(0x10) & 1) == 0) {
    }
#elif WAIT == 5 /* pin */
    while (!(PORT_C_INPUT & BUTTON)) {
    }
#elif WAIT == 6 /* pin_by_function */
    while (!button()) {
    }
#elif WAIT == 7 /* rtc_seconds */
    start_rtc();
    uint32_t second = RTC(0);
    (void)RTC(4);
    while (RTC(0) == second) {
        (void)RTC(4);
    }
#elif WAIT == 8 /* flag_with_time_out */
    REGISTER(0x40021058) |= 1u << 18;
    USART3(0) = 0xD;
    start_systick(79999, 7);
    uint32_t begin = milliseconds();
    while ((USART3(0x1C) & 0x20) == 0) {
        if (milliseconds() - begin > 500) {
            break;
        }
    }
#elif WAIT == 9 /* interrupts_alone */
    start_systick(79999, 7);
    while (ticks < 500) {
    }
#elif WAIT == 10 /* rtc_subseconds */
    start_rtc();
    RTC(0x24) = 0xCA;
    RTC(0x24) = 0x53;
    RTC(8) = 0x20; /* BYPSHAD: no shadow registers */
    uint32_t begin = RTC(0x28);
    while (((begin - RTC(0x28)) & 0xFF) < 128) {
    }
#elif WAIT == 11 /* counted_rounds */
    for (volatile uint32_t count = 0; count < 4000000; count++) {
    }
#endif
    return 1;
}
