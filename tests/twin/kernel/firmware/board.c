/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and sleep: 80 MHz from the PLL while something runs, Stop 2 with LPTIM1 on the crystal while nothing does.
 * Sequences: RM0351, "Entering Stop 2 mode", "LPTIM", "PLL configuration". */
#include "kernel.h"
#include "stm32l476.h"

#define HCLK_HZ 80000000u
#define SHORTEST_STOP_TICKS 2u
#define LONGEST_STOP_TICKS 60000u
#define LPTIM_FLAG_ARRM (1u << 1)
#define LPTIM_FLAG_ARROK (1u << 4)

volatile uint32_t board_stops;

static void clocks_start(void)
{
    FLASH_ACR = 0x600u | 4u;
    while ((FLASH_ACR & 7u) != 4u) {
    }
    RCC_PLLCFGR = 1u | 40u << 8 | 1u << 24; /* MSI 4 MHz x 40 / 2 */
    RCC_CR |= 1u << 24;
    while (!(RCC_CR & 1u << 25)) {
    }
    RCC_CFGR = 3u;
    while ((RCC_CFGR & 0xCu) != 0xCu) {
    }
}

static void tick_start(void)
{
    SYST_RVR = HCLK_HZ / TICKS_PER_S - 1u;
    SYST_CVR = 0;
    SYST_CSR = 7u;
}

void board_start(void)
{
    RCC_APB1ENR1 |= 1u << 28 | 1u << 31; /* PWR, LPTIM1 */
    (void)RCC_APB1ENR1;
    PWR_CR1 |= 1u << 8; /* DBP */
    while (!(PWR_CR1 & 1u << 8)) {
    }
    RCC_BDCR |= 1u;
    while (!(RCC_BDCR & 2u)) { /* two seconds, at 4 MHz */
    }
    clocks_start();
    RCC_CCIPR |= 3u << 18;        /* LPTIM1 from LSE */
    LPTIM1_CFGR = 5u << 9;        /* 32768 Hz / 32 */
    LPTIM1_IER = LPTIM_FLAG_ARRM; /* only while it is disabled */
    EXTI_IMR2 |= 1u;              /* line 32 */
    NVIC_ISER2 = 1u << (65 - 64);
    tick_start();
}

void LPTIM1_IRQHandler(void)
{
    LPTIM1_ICR = LPTIM_FLAG_ARRM;
}

static uint32_t stop(uint32_t ticks)
{
    uint32_t planned = ticks < LONGEST_STOP_TICKS ? ticks : LONGEST_STOP_TICKS;
    SYST_CSR = 0;
    LPTIM1_CR = 1u;
    LPTIM1_ICR = LPTIM_FLAG_ARROK;
    LPTIM1_ARR = planned; /* counts from 0 */
    while (!(LPTIM1_ISR & LPTIM_FLAG_ARROK)) {
    }
    LPTIM1_CR = 1u | 2u;
    PWR_CR1 = (PWR_CR1 & ~7u) | 2u;
    SCB_SCR |= 4u;
    board_stops++;
    __asm volatile("dsb\nwfi\nisb" : : : "memory");
    SCB_SCR &= ~4u;
    clocks_start();
    uint32_t passed = LPTIM1_ISR & LPTIM_FLAG_ARRM ? planned : LPTIM1_CNT;
    LPTIM1_ICR = LPTIM_FLAG_ARRM;
    LPTIM1_CR = 0;
    NVIC_ICPR2 = 1u << (65 - 64);
    tick_start();
    return passed;
}

uint32_t board_sleep(uint32_t ticks)
{
    if (ticks >= SHORTEST_STOP_TICKS) {
        return stop(ticks);
    }
    __asm volatile("dsb\nwfi\nisb" : : : "memory"); /* the tick goes on */
    return 0;
}
