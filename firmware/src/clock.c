/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <stdint.h>

#include "mutant.h"
#include "stm32l476.h"

/* 4 MHz / 1 * 40 / 2 = 80 MHz. The VCO at 160 MHz is above the 96 MHz of errata 2.1.13. */
#define PLL_INPUT_DIVIDER 1u
#define PLL_FACTOR 40u
#define PLL_OUTPUT_DIVIDER 2u

/* RM0351, table 11: range 1 needs 4 wait states above 64 MHz, range 2 none up to 6 MHz. */
#define WAIT_STATES_FAST 4u
#define WAIT_STATES_SLOW 0u

static void set_voltage_range(uint32_t vos)
{
    PWR->CR1 = (PWR->CR1 & ~PWR_CR1_VOS_MASK) | vos;
    while ((PWR->SR2 & PWR_SR2_VOSF) != 0u) {
    }
}

static void set_wait_states(uint32_t wait_states)
{
    /* Instruction and data caches are on after reset and stay on. Prefetch stays off: that is the configuration
     * DS10198 Rev 8 characterises as "ART enable (cache ON, prefetch OFF)". */
    FLASH->ACR = (FLASH->ACR & ~FLASH_ACR_LATENCY_MASK) | wait_states;
    while ((FLASH->ACR & FLASH_ACR_LATENCY_MASK) != wait_states) {
    }
}

static void select_system_clock(uint32_t sw, uint32_t sws)
{
    RCC->CFGR = (RCC->CFGR & ~RCC_CFGR_SW_MASK) | sw;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != sws) {
    }
}

void clock_init(void)
{
    RCC->APB1ENR1 |= RCC_APB1ENR1_PWREN; /* without it writes to PWR are lost, Stop 2 included */
    (void)RCC->APB1ENR1;
    set_voltage_range(PWR_CR1_VOS_RANGE2);
}

void clock_run_fast(void)
{
    set_voltage_range(PWR_CR1_VOS_RANGE1);
    set_wait_states(WAIT_STATES_FAST);

    RCC->PLLCFGR = RCC_PLLCFGR_PLLSRC_MSI | RCC_PLLCFGR_PLLM(PLL_INPUT_DIVIDER) |
                   RCC_PLLCFGR_PLLN(MUTANT_PLL_FACTOR(PLL_FACTOR)) | RCC_PLLCFGR_PLLR(PLL_OUTPUT_DIVIDER) |
                   RCC_PLLCFGR_PLLREN;
    RCC->CR |= RCC_CR_PLLON;
    while ((RCC->CR & RCC_CR_PLLRDY) == 0u) {
    }
    select_system_clock(RCC_CFGR_SW_PLL, RCC_CFGR_SWS_PLL);
}

void clock_run_slow(void)
{
    select_system_clock(RCC_CFGR_SW_MSI, RCC_CFGR_SWS_MSI);
    RCC->CR &= ~RCC_CR_PLLON;
    while ((RCC->CR & RCC_CR_PLLRDY) != 0u) {
    }
    set_wait_states(WAIT_STATES_SLOW);
    set_voltage_range(PWR_CR1_VOS_RANGE2);
}
