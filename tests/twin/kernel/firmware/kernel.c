/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel. Lists are short and looked through; what changes them runs with BASEPRI raised above SysTick and PendSV.
 *
 * Services are called through SVC, so that unprivileged tasks may use them; they run in the SVC's handler, and a
 * service that must wait makes the caller wait and repeats itself when it is woken. */
#include "kernel.h"

#include "stm32l476.h"

#define LOWEST_PRIORITY 0xF0u
#define KERNEL_PRIORITY 0x80u
#define EXC_RETURN_THREAD_PROCESS_STACK 0xFFFFFFFDu
#define GUARD_REGION 7u

enum service { SERVICE_DELAY, SERVICE_LOCK, SERVICE_UNLOCK, SERVICE_SEND, SERVICE_RECEIVE };

static task_t *tasks[TASKS_MAX];
static uint32_t task_count;
static task_t idle;
static uint32_t idle_stack[128] __attribute__((aligned(32)));
task_t *current;
volatile uint32_t kernel_switches, kernel_ticks;

static void switch_later(void)
{
    SCB_ICSR = 1u << 28;
}

static bool is_ready(const task_t *task)
{
    return !task->delayed && task->waits_for == 0;
}

static task_t *next_task(void)
{
    task_t *best = &idle;
    for (uint32_t i = 0; i < task_count; i++) {
        if (is_ready(tasks[i]) && (best == &idle || tasks[i]->priority > best->priority)) {
            best = tasks[i];
        }
    }
    return best;
}

/* Called by PendSV with BASEPRI raised. */
void kernel_select(void)
{
    current = next_task();
    kernel_switches++;
    /* The guard of the new task's stack: nobody may touch its lowest 32 bytes. */
    MPU_RBAR = (uint32_t)(uintptr_t)current->stack_limit | 1u << 4 | GUARD_REGION;
    MPU_RASR = 4u << 1 | 1u;
    uint32_t control = current->unprivileged ? 1u : 0u;
    __asm volatile("msr control, %0\nisb" : : "r"(control) : "memory");
}

__attribute__((naked)) void PendSV_Handler(void)
{
    __asm volatile("mov r0, #0x80\n" /* KERNEL_PRIORITY */
                   "msr basepri, r0\n"
                   "isb\n"
                   "mrs r0, psp\n"
                   "tst lr, #0x10\n"
                   "it eq\n"
                   "vstmdbeq r0!, {s16-s31}\n"
                   "stmdb r0!, {r4-r11, lr}\n"
                   "ldr r3, =current\n"
                   "ldr r2, [r3]\n"
                   "str r0, [r2]\n"
                   "push {r3, lr}\n"
                   "bl kernel_select\n"
                   "pop {r3, lr}\n"
                   "ldr r2, [r3]\n"
                   "ldr r0, [r2]\n"
                   "ldmia r0!, {r4-r11, lr}\n"
                   "tst lr, #0x10\n"
                   "it eq\n"
                   "vldmiaeq r0!, {s16-s31}\n"
                   "msr psp, r0\n"
                   "isb\n"
                   "mov r0, #0\n"
                   "msr basepri, r0\n"
                   "bx lr\n"
                   ".ltorg\n");
}

static void wake_waiting_for(const void *object)
{
    for (uint32_t i = 0; i < task_count; i++) {
        if (tasks[i]->waits_for == object) {
            tasks[i]->waits_for = 0;
        }
    }
    switch_later();
}

static void advance(uint32_t ticks)
{
    kernel_ticks += ticks;
    for (uint32_t i = 0; i < task_count; i++) {
        if (tasks[i]->delayed && (int32_t)(kernel_ticks - tasks[i]->wake_tick) >= 0) {
            tasks[i]->delayed = false;
            switch_later();
        }
    }
}

void SysTick_Handler(void)
{
    advance(1);
}

/* Returns true where the caller must wait and ask again. */
static bool serve(enum service service, void *object, uint32_t *value)
{
    if (service == SERVICE_DELAY) {
        uint32_t tick = (uint32_t)(uintptr_t)object;
        if ((int32_t)(tick - kernel_ticks) > 0) {
            current->wake_tick = tick;
            current->delayed = true;
            switch_later();
        }
        return false;
    }
    if (service == SERVICE_LOCK) {
        mutex_t *mutex = object;
        if (mutex->owner == 0) {
            mutex->owner = current;
            return false;
        }
        if (mutex->owner->priority < current->priority) {
            mutex->owner->priority = current->priority; /* inherited until it unlocks */
        }
    } else if (service == SERVICE_UNLOCK) {
        mutex_t *mutex = object;
        mutex->owner->priority = mutex->owner->base_priority;
        mutex->owner = 0;
        wake_waiting_for(object);
        return false;
    } else {
        queue_t *queue = object;
        if (service == SERVICE_SEND && queue->count < 4u) {
            queue->items[(queue->first + queue->count++) % 4u] = *value;
            wake_waiting_for(object);
            return false;
        }
        if (service == SERVICE_RECEIVE && queue->count > 0u) {
            *value = queue->items[queue->first++ % 4u];
            queue->count--;
            wake_waiting_for(object);
            return false;
        }
    }
    current->waits_for = object;
    switch_later();
    return true;
}

/* frame: r0 service, r1 object, r2 value; r0 becomes whether to ask again, r2 what was received. */
void kernel_service(uint32_t *frame)
{
    frame[0] = serve((enum service)frame[0], (void *)(uintptr_t)frame[1], &frame[2]);
}

__attribute__((naked)) void SVC_Handler(void)
{
    __asm volatile("ldr r3, =current\n" /* the first call starts the first task */
                   "ldr r2, [r3]\n"
                   "ldr r1, =started\n"
                   "ldr r0, [r1]\n"
                   "cbz r0, 1f\n"
                   "mrs r0, psp\n"
                   "b kernel_service\n"
                   "1: movs r0, #1\n"
                   "str r0, [r1]\n"
                   "ldr r0, [r2]\n"
                   "ldmia r0!, {r4-r11, lr}\n"
                   "msr psp, r0\n"
                   "isb\n"
                   "bx lr\n"
                   ".ltorg\n");
}

uint32_t started;

static uint32_t call(enum service service, void *object, uint32_t value)
{
    register uint32_t r0 __asm("r0");
    register uint32_t r1 __asm("r1");
    register uint32_t r2 __asm("r2");
    do {
        r0 = (uint32_t)service;
        r1 = (uint32_t)(uintptr_t)object;
        r2 = value;
        __asm volatile("svc #0" : "+r"(r0), "+r"(r1), "+r"(r2) : : "r3", "r12", "memory");
    } while (r0 != 0u);
    return r2;
}

void delay_until(uint32_t tick)
{
    call(SERVICE_DELAY, (void *)(uintptr_t)tick, 0);
}

void mutex_lock(mutex_t *mutex)
{
    call(SERVICE_LOCK, mutex, 0);
}

void mutex_unlock(mutex_t *mutex)
{
    call(SERVICE_UNLOCK, mutex, 0);
}

void queue_send(queue_t *queue, uint32_t item)
{
    call(SERVICE_SEND, queue, item);
}

uint32_t queue_receive(queue_t *queue)
{
    return call(SERVICE_RECEIVE, queue, 0);
}

uint32_t ticks_now(void)
{
    return kernel_ticks;
}

static void prepare(task_t *task, void (*entry)(void), uint32_t *stack, uint32_t words, uint32_t priority,
                    bool unprivileged)
{
    uint32_t *top = stack + words - 8;
    top[5] = 0; /* tasks do not return */
    top[6] = (uint32_t)(uintptr_t)entry & ~1u;
    top[7] = 1u << 24;
    top -= 9;
    top[8] = EXC_RETURN_THREAD_PROCESS_STACK;
    task->stack = top;
    task->stack_limit = stack;
    task->priority = task->base_priority = priority;
    task->unprivileged = unprivileged;
}

void task_create(task_t *task, void (*entry)(void), uint32_t *stack, uint32_t words, uint32_t priority,
                 bool unprivileged)
{
    prepare(task, entry, stack, words, priority, unprivileged);
    tasks[task_count++] = task;
}

static uint32_t ticks_to_the_next(void)
{
    uint32_t ticks = FOREVER;
    for (uint32_t i = 0; i < task_count; i++) {
        if (is_ready(tasks[i])) {
            return 0;
        }
        if (tasks[i]->delayed && tasks[i]->wake_tick - kernel_ticks < ticks) {
            ticks = tasks[i]->wake_tick - kernel_ticks;
        }
    }
    return ticks;
}

static void idle_task(void)
{
    for (;;) {
        __asm volatile("cpsid i" : : : "memory");
        uint32_t ticks = ticks_to_the_next();
        if (ticks > 0u) {
            advance(board_sleep(ticks));
        } else {
            switch_later();
        }
        __asm volatile("cpsie i\nisb" : : : "memory");
    }
}

_Noreturn void kernel_start(void)
{
    prepare(&idle, idle_task, idle_stack, sizeof idle_stack / 4u, 0, false);
    SCB_SHPR2 = LOWEST_PRIORITY << 24;                            /* SVC */
    SCB_SHPR3 = LOWEST_PRIORITY << 24 | LOWEST_PRIORITY << 16;    /* SysTick, PendSV */
    board_start();
    current = &idle;
    MPU_RBAR = 0x08000000u | 1u << 4 | 0u; /* flash: everybody may read and execute */
    MPU_RASR = 6u << 24 | 19u << 1 | 1u;
    MPU_RBAR = 0x20000000u | 1u << 4 | 1u; /* SRAM1: everybody may read and write, nobody executes */
    MPU_RASR = 1u << 28 | 3u << 24 | 16u << 1 | 1u;
    SCB_SHCSR = 7u << 16;
    MPU_CTRL = 1u | 4u;
    __asm volatile("dsb\nisb\ncpsie i\nsvc #0\n");
    for (;;) {
    }
}
