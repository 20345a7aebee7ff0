/* SPDX-License-Identifier: Apache-2.0 */
/* 80 MHz from MSI through the PLL, set up by a driver that switches each oscillator by a conditional store. */
#include "example.h"

typedef enum { OFF, ON, UNCHANGED } state_t;
typedef struct {
    state_t msi, hsi, pll;
    uint32_t msi_range, pllm, plln, pllr;
} oscillators_t;

static status_t wait_for(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
    uint32_t start = ticks;
    while ((*reg & mask) != value) {
        if (ticks - start > 2u) {
            return TIMEOUT;
        }
    }
    return OK;
}

static status_t switch_oscillator(state_t state, uint32_t enable, uint32_t ready)
{
    if (state == UNCHANGED) {
        return OK;
    }
    (state == ON) ? SET_BIT(RCC->CR, enable) : CLEAR_BIT(RCC->CR, enable);
    return wait_for(&RCC->CR, ready, state == ON ? ready : 0u);
}

static status_t configure_oscillators(const oscillators_t *wanted)
{
    if (wanted->msi == ON) {
        MODIFY_REG(RCC->CR, 0xF8u, (wanted->msi_range << 4) | (1u << 3));
    }
    if (switch_oscillator(wanted->msi, 1u << 0, 1u << 1) != OK || switch_oscillator(wanted->hsi, 1u << 8, 1u << 10) != OK) {
        return ERROR;
    }
    if (wanted->pll == ON) {
        RCC->PLLCFGR = RCC_PLLCFGR_PLLSRC_MSI | RCC_PLLCFGR_PLLM(wanted->pllm) | RCC_PLLCFGR_PLLN(wanted->plln)
                       | RCC_PLLCFGR_PLLREN | RCC_PLLCFGR_PLLR(wanted->pllr);
    }
    return switch_oscillator(wanted->pll, RCC_CR_PLLON, RCC_CR_PLLRDY);
}

static status_t configure_clocks(uint32_t latency, uint32_t source)
{
    if (latency > (FLASH->ACR & FLASH_ACR_LATENCY_MASK)) {
        MODIFY_REG(FLASH->ACR, FLASH_ACR_LATENCY_MASK, latency);
        if ((FLASH->ACR & FLASH_ACR_LATENCY_MASK) != latency) {
            return ERROR;
        }
    }
    MODIFY_REG(RCC->CFGR, RCC_CFGR_SW_MASK, source);
    return wait_for(&RCC->CFGR, RCC_CFGR_SWS_MASK, source << 2);
}

int example(void)
{
    static const oscillators_t wanted = {ON, OFF, ON, 6u, 1u, 40u, 2u};
    pins_to_analog();
    tick_start(4000000u);
    RESULT[VALUE] = (uint32_t)configure_oscillators(&wanted);
    RESULT[OTHER] = (uint32_t)configure_clocks(FLASH_LATENCY_4, RCC_CFGR_SW_PLL);
    tick_start(80000000u);
    delay_ms(3);
    RESULT[COUNT] = ticks;
    tick_stop();
    RESULT[STEP] = 1;
    for (;;) {
    }
}
