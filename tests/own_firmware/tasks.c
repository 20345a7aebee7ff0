/* SPDX-License-Identifier: Apache-2.0 */
/* A small kernel in the manner of an RTOS: two tasks and an idle one, switched by PendSV at each tick of SysTick.
 * The idle task sleeps (WFI), so that the part is in Sleep but for a few microseconds of each millisecond. */
#include "example.h"

#define TASKS 3u
#define STACK_WORDS 64u
#define PEND_SV (1u << 28)

void SysTick_Handler(void);
void PendSV_Handler(void);
uint32_t *switch_stacks(uint32_t *stack);

static uint32_t vectors_in_ram[128] __attribute__((aligned(512)));
static uint32_t stacks[TASKS][STACK_WORDS] __attribute__((aligned(8)));
static uint32_t *saved[TASKS];
static volatile uint32_t wakes_at[TASKS];
static uint32_t current;
volatile uint32_t work_done;

/* Saves the registers that an exception does not, and takes the next task's. */
__attribute__((naked)) void PendSV_Handler(void)
{
    __asm volatile("mrs r0, psp\n"
                   "stmdb r0!, {r4-r11}\n"
                   "push {lr}\n"
                   "bl switch_stacks\n"
                   "pop {lr}\n"
                   "ldmia r0!, {r4-r11}\n"
                   "msr psp, r0\n"
                   "bx lr\n");
}

__attribute__((used)) uint32_t *switch_stacks(uint32_t *stack)
{
    saved[current] = stack;
    current = 0; /* idle, unless a task is due */
    for (uint32_t task = 1; task < TASKS; task++) {
        if ((int32_t)(ticks - wakes_at[task]) >= 0) {
            current = task;
        }
    }
    return saved[current];
}

static void yield(void)
{
    REG(0xE000ED04u) = PEND_SV;
    __asm volatile("dsb\nisb");
}

static void task_delay(uint32_t ms)
{
    wakes_at[current] = ticks + ms;
    yield();
}

void SysTick_Handler(void)
{
    ticks++;
    REG(0xE000ED04u) = PEND_SV;
}

static void idle(void)
{
    for (;;) {
        wait_for_interrupt();
    }
}

static void blinker(void)
{
    for (;;) {
        work_done++;
        task_delay(100);
    }
}

static void worker(void)
{
    for (;;) {
        for (uint32_t turn = 0; turn < 8000u; turn++) {
            work_done++;
        }
        task_delay(250);
    }
}

static void make_task(uint32_t task, void (*code)(void))
{
    uint32_t *stack = &stacks[task][STACK_WORDS - 16u];
    stack[14] = (uint32_t)(uintptr_t)code;
    stack[15] = 1u << 24; /* Thumb */
    saved[task] = stack;
}

int example(void)
{
    pins_to_analog();
    for (uint32_t vector = 0; vector < 16u; vector++) {
        vectors_in_ram[vector] = REG(0x08000000u + 4u * vector);
    }
    vectors_in_ram[14] = (uint32_t)(uintptr_t)PendSV_Handler;
    vectors_in_ram[15] = (uint32_t)(uintptr_t)SysTick_Handler;
    REG(0xE000ED08u) = (uint32_t)(uintptr_t)vectors_in_ram; /* VTOR */
    make_task(1, blinker);
    make_task(2, worker);
    REG(0xE000ED20u) = 0xFFFF0000u; /* PendSV and SysTick at the lowest priority */
    __asm volatile("msr psp, %0\n"
                   "mov r0, #2\n"
                   "msr control, r0\n"
                   "isb" ::"r"(&stacks[0][STACK_WORDS]) : "r0");
    tick_start(4000000u);
    idle();
    return 0;
}
