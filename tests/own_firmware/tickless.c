/* SPDX-License-Identifier: Apache-2.0 */
/* A preemptive kernel without a tick while all tasks wait: Stop 2, woken by the RTC when the next task is due.
 * Both tasks compute in floating point, and the filter preempts the sensor: the FPU stacks their registers lazily,
 * and PendSV saves the others where a task has used them. A task whose sum is wrong has lost its registers. */
#include "say.h"

#ifndef SLEEP_MODE
#define SLEEP_MODE 2u
#endif
#define TASKS 3u /* idle, sensor, filter: the higher the more urgent */
#define STACK_WORDS 96u
#define PERIOD_MS 500u
#define SENSOR_TURNS 6000u /* some 20 ms at 4 MHz */
#define FILTER_TURNS 200u
#define FILTER_LATER_MS 3u /* while the sensor computes */
#define LONGEST_SLEEP_MS 30000u
#define PEND_SV (1u << 28)
#define TO_THREAD_WITHOUT_FLOATS 0xFFFFFFFDu
#define LOWEST_PRIORITIES 0xFFFF0000u /* PendSV and SysTick */

void SysTick_Handler(void);
void PendSV_Handler(void);
uint32_t *switch_stacks(uint32_t *stack);
_Noreturn void Error_Handler(void);

static uint32_t vectors_in_ram[128] __attribute__((aligned(512)));
static uint32_t stacks[TASKS][STACK_WORDS] __attribute__((aligned(8)));
static uint32_t *saved[TASKS];
static volatile uint32_t due_at[TASKS];
static uint32_t current;

_Noreturn void Error_Handler(void)
{
    for (;;) {
    }
}

/* Saves what an exception does not; EXC_RETURN says whether the task has floats, and is one of the task's. */
__attribute__((naked)) void PendSV_Handler(void)
{
    __asm volatile("mrs r0, psp\n"
#ifndef FLOATS_LOST
                   "tst lr, #0x10\n"
                   "it eq\n"
                   "vstmdbeq r0!, {s16-s31}\n"
#endif
                   "stmdb r0!, {r4-r11, lr}\n"
                   "bl switch_stacks\n"
                   "ldmia r0!, {r4-r11, lr}\n"
#ifndef FLOATS_LOST
                   "tst lr, #0x10\n"
                   "it eq\n"
                   "vldmiaeq r0!, {s16-s31}\n"
#endif
                   "msr psp, r0\n"
                   "bx lr\n");
}

__attribute__((used)) uint32_t *switch_stacks(uint32_t *stack)
{
    saved[current] = stack;
    current = 0; /* idle, unless a task is due */
    for (uint32_t task = 1; task < TASKS; task++) {
        if ((int32_t)(ticks - due_at[task]) >= 0) {
            current = task;
        }
    }
    return saved[current];
}

static void switch_later(void)
{
    SCB->ICSR = PEND_SV;
}

static void delay_until(uint32_t tick)
{
    due_at[current] = tick;
    switch_later();
    __asm volatile("dsb\nisb" ::: "memory");
}

void SysTick_Handler(void)
{
    ticks++;
    switch_later();
}

/* The sum stays in a register that PendSV has to save while the loop counts. */
static float sum_of(uint32_t turns, float step)
{
    register float sum __asm("s16") = 0.0f;
    for (volatile uint32_t turn = 0; turn < turns; turn++) {
        __asm volatile("" : "+t"(sum));
        sum += step;
    }
    return sum;
}

static void add_up(uint32_t turns, float step)
{
    if (sum_of(turns, step) != (float)turns * step) { /* exact: quarters and halves below 2^22 */
        Error_Handler();
    }
}

static void sensor(void)
{
    for (uint32_t round = 1;; round++) {
        delay_until(round * PERIOD_MS);
        add_up(SENSOR_TURNS, 0.25f);
    }
}

static void filter(void)
{
    for (uint32_t round = 1;; round++) {
        delay_until(round * PERIOD_MS + FILTER_LATER_MS);
        add_up(FILTER_TURNS, 1.5f);
    }
}

/* With interrupts masked: the wake-up ends WFI, and its handler runs when time has been put right. */
static void sleep_until_due(void)
{
    interrupts_disable();
    uint32_t now = ticks, sleep_ms = LONGEST_SLEEP_MS;
    for (uint32_t task = 1; task < TASKS; task++) {
        uint32_t in_ms = due_at[task] - now;
        sleep_ms = in_ms < sleep_ms ? in_ms : sleep_ms;
    }
#ifndef TICK_KEPT
    if (sleep_ms > 1u) {
        tick_stop();
        rtc_wakeup(2u * sleep_ms); /* opens the RTC's registers each time, and leaves them open */
        SET_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
        wait_for_interrupt();
        CLEAR_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
        tick_start(4000000u);
        ticks = now + sleep_ms;
        switch_later();
    }
#else
    wait_for_interrupt();
#endif
    interrupts_enable();
}

static void make_task(uint32_t task, void (*code)(void))
{
    uint32_t *stack = &stacks[task][STACK_WORDS - 17u];
    stack[8] = TO_THREAD_WITHOUT_FLOATS;
    stack[15] = (uint32_t)(uintptr_t)code;
    stack[16] = 1u << 24; /* Thumb */
    saved[task] = stack;
}

int example(void)
{
    SCB_CPACR |= SCB_CPACR_FPU_FULL_ACCESS; /* lazy stacking is on after reset (FPCCR) */
    __asm volatile("dsb\nisb");
    pins_to_analog();
    say("\r\nkernel ready\r\n");
    for (uint32_t vector = 0; vector < 128u; vector++) {
        vectors_in_ram[vector] = vector < 16u + IRQ_COUNT ? REG(0x08000000u + 4u * vector) : 0u;
    }
    vectors_in_ram[14] = (uint32_t)(uintptr_t)PendSV_Handler;
    vectors_in_ram[15] = (uint32_t)(uintptr_t)SysTick_Handler;
    SCB->VTOR = (uint32_t)(uintptr_t)vectors_in_ram;
    power_clock();
    MODIFY_REG(PWR->CR1, PWR_CR1_LPMS_MASK, SLEEP_MODE);
    make_task(1, sensor);
    make_task(2, filter);
    REG(0xE000ED20u) = LOWEST_PRIORITIES;
    __asm volatile("msr psp, %0\n"
                   "mov r0, #2\n"
                   "msr control, r0\n"
                   "isb" ::"r"(&stacks[0][STACK_WORDS]) : "r0");
    tick_start(4000000u);
    for (;;) {
        sleep_until_due();
    }
}
