/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks whose results are known: two that compute in floating point and preempt each other, a producer and a consumer
 * with a queue, an unprivileged one, and one that in the end runs into its stack's guard if it is asked to. */
#include "kernel.h"
#include "stm32l476.h"

#define STACK_WORDS 160u
#define ROUNDS 12u
#define FAST_ROUNDS 400u

__attribute__((section(".setting"), used)) const volatile uint32_t overflow_wanted = 0;

volatile float slow_sum, fast_sum, consumed_mean;
volatile uint32_t hash_result, finished, consumed, shared_updates, fault_flags, fault_address, preemptions;

static task_t slow, fast, producer, consumer, hasher, deep;
static uint32_t stacks[6][STACK_WORDS] __attribute__((aligned(32)));
static queue_t queue;
static mutex_t shared;
static volatile uint32_t slow_is_running;

static void done(void)
{
    mutex_lock(&shared);
    finished++;
    mutex_unlock(&shared);
    delay_until(ticks_now() + 0x3FFFFFFFu);
}

/* Long enough for the tick to preempt it: some 4 ms of floating point. */
static void slow_task(void)
{
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        float sum = slow_sum;
        slow_is_running = 1;
        __asm volatile("" : "+t"(sum)); /* the loop stays between the two stores */
        for (uint32_t i = 0; i < 80000u; i++) {
            sum = sum * 0.999f + (float)round;
        }
        __asm volatile("" : "+t"(sum));
        slow_is_running = 0;
        slow_sum = sum;
        mutex_lock(&shared);
        shared_updates++;
        mutex_unlock(&shared);
        delay_until(round * 100u);
    }
    done();
}

static void fast_task(void)
{
    for (uint32_t round = 1; round <= FAST_ROUNDS; round++) {
        preemptions += slow_is_running;
        fast_sum = fast_sum * 0.5f + (float)round;
        if (round % 20u == 0u) {
            mutex_lock(&shared);
            shared_updates++;
            mutex_unlock(&shared);
        }
        delay_until(round * 3u);
    }
    done();
}

static void producer_task(void)
{
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < 6u; i++) { /* two more than the queue takes */
            queue_send(&queue, round * 10u + i);
        }
        delay_until(round * 50u);
    }
    done();
}

static void consumer_task(void)
{
    float mean = 0.0f;
    for (uint32_t i = 0; i < 6u * ROUNDS; i++) {
        mean += ((float)queue_receive(&queue) - mean) * 0.125f;
        consumed_mean = mean;
        consumed++;
    }
    done();
}

/* Unprivileged: reaches the kernel through its calls alone. */
static void hasher_task(void)
{
    uint32_t hash = 2166136261u;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < 1000u; i++) {
            hash = (hash ^ (i & 0xFFu)) * 16777619u;
        }
        delay_until(round * 70u);
    }
    hash_result = hash;
    done();
}

__attribute__((optnone, noinline)) static uint32_t dig(uint32_t depth)
{
    volatile uint32_t room[8] = {depth};
    return depth == 0u ? room[0] : dig(depth - 1u) + room[0];
}

static void deep_task(void)
{
    delay_until(300);
    if (overflow_wanted != 0u) {
        dig(1000);
    }
    done();
}

void MemManage_Handler(void)
{
    fault_flags = SCB_CFSR;
    fault_address = SCB_MMFAR - (uint32_t)(uintptr_t)stacks[5];
    for (;;) {
        __asm volatile("wfi");
    }
}

void Fault_Handler(void)
{
    fault_flags = SCB_CFSR | 1u << 31;
    for (;;) {
    }
}

extern uint32_t stack_top[], bss_start[], bss_end[];
void SysTick_Handler(void);
void PendSV_Handler(void);
void SVC_Handler(void);
void LPTIM1_IRQHandler(void);

void Reset_Handler(void)
{
    SCB_CPACR |= 0xF00000u;
    __asm volatile("dsb\nisb");
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    task_create(&slow, slow_task, stacks[0], STACK_WORDS, 1, false);
    task_create(&fast, fast_task, stacks[1], STACK_WORDS, 5, false);
    task_create(&producer, producer_task, stacks[2], STACK_WORDS, 3, false);
    task_create(&consumer, consumer_task, stacks[3], STACK_WORDS, 2, true);
    task_create(&hasher, hasher_task, stacks[4], STACK_WORDS, 4, true);
    task_create(&deep, deep_task, stacks[5], STACK_WORDS, 2, true);
    kernel_start();
}

typedef void (*vector_t)(void);

__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + 82] = {
    [0] = (vector_t)(uintptr_t)stack_top, [1] = Reset_Handler,     [3] = Fault_Handler,
    [4] = MemManage_Handler,              [5] = Fault_Handler,     [6] = Fault_Handler,
    [11] = SVC_Handler,                   [14] = PendSV_Handler,   [15] = SysTick_Handler,
    [16 + 65] = LPTIM1_IRQHandler,
};
