/* SPDX-License-Identifier: Apache-2.0 */
/* The Cortex-M4 core registers and instructions this firmware uses (ARMv7-M architecture, PM0214). */
#ifndef HIL_CORTEX_M4_H
#define HIL_CORTEX_M4_H

#include <stdint.h>

typedef struct {
    volatile uint32_t CPUID, ICSR, VTOR, AIRCR, SCR;
} scb_t;
#define SCB ((scb_t *)0xE000ED00u)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88u)

#define SCB_ICSR_PENDSTCLR (1u << 25)
#define SCB_AIRCR_SYSRESETREQ 0x05FA0004u /* with the write key */
#define SCB_SCR_SLEEPDEEP (1u << 2)
#define SCB_CPACR_FPU_FULL_ACCESS (15u << 20)

typedef struct {
    volatile uint32_t CTRL, LOAD, VAL;
} systick_t;
#define SYSTICK ((systick_t *)0xE000E010u)

#define SYSTICK_CTRL_ENABLE (1u << 0) /* with CLKSOURCE 0 the STM32L4 counts HCLK/8 */
#define SYSTICK_CTRL_TICKINT (1u << 1)
#define SYSTICK_CLOCK_DIVIDER 8u

#define NVIC_ISER ((volatile uint32_t *)0xE000E100u)

#define DCB_DEMCR (*(volatile uint32_t *)0xE000EDFCu)
#define DCB_DEMCR_TRCENA (1u << 24)
typedef struct {
    volatile uint32_t CTRL, CYCCNT;
} dwt_t;
#define DWT ((dwt_t *)0xE0001000u)
#define DWT_CTRL_CYCCNTENA (1u << 0)

static inline void nvic_enable(unsigned irq)
{
    NVIC_ISER[irq / 32u] = 1u << (irq % 32u);
}

static inline void interrupts_disable(void)
{
    __asm volatile("cpsid i" ::: "memory");
}

static inline void interrupts_enable(void)
{
    __asm volatile("cpsie i\n\tisb" ::: "memory"); /* ISB: a pending interrupt is taken here, not later */
}

/* Masks interrupts; the result says whether they were masked before, for interrupts_restore(). */
static inline uint32_t interrupts_save(void)
{
    uint32_t masked;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(masked)::"memory");
    return masked;
}

static inline void interrupts_restore(uint32_t masked)
{
    if (masked == 0u) {
        interrupts_enable();
    }
}

static inline void data_barrier(void)
{
    __asm volatile("dsb" ::: "memory");
}

static inline void wait_for_interrupt(void)
{
    __asm volatile("dsb\n\twfi" ::: "memory");
}

_Noreturn static inline void system_reset(void)
{
    data_barrier();
    SCB->AIRCR = SCB_AIRCR_SYSRESETREQ;
    data_barrier();
    for (;;) {
    }
}

#endif
