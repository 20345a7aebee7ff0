/* SPDX-License-Identifier: Apache-2.0 */
/* A small preemptive kernel: fixed priorities, 1024 ticks a second, none of them while everything waits. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#define TICKS_PER_S 1024u
#define FOREVER UINT32_MAX
#define TASKS_MAX 6u

typedef struct task task_t;

typedef struct {
    task_t *owner;
} mutex_t;

typedef struct {
    uint32_t items[4];
    uint32_t count, first;
} queue_t;

struct task {
    uint32_t *stack; /* first, the switch's assembly stores it */
    uint32_t *stack_limit;
    uint32_t priority, base_priority; /* the higher the more urgent */
    uint32_t wake_tick;
    const void *waits_for;
    bool delayed, unprivileged;
};

/* Tasks must be made before kernel_start; stacks are aligned to 32 bytes, their lowest 32 bytes are a guard. */
void task_create(task_t *task, void (*entry)(void), uint32_t *stack, uint32_t words, uint32_t priority,
                 bool unprivileged);
_Noreturn void kernel_start(void);

/* The rest may be called by tasks, privileged or not. */
void delay_until(uint32_t tick);
void mutex_lock(mutex_t *mutex);
void mutex_unlock(mutex_t *mutex);
void queue_send(queue_t *queue, uint32_t item);
uint32_t queue_receive(queue_t *queue);
uint32_t ticks_now(void);

/* The board's: reduces the tick by sleeping, with interrupts masked; returns how many ticks have passed. */
void board_start(void);
uint32_t board_sleep(uint32_t ticks);

extern volatile uint32_t kernel_switches, kernel_ticks;

#endif
