/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <stddef.h>

#include "mutant.h"
#include "registers.h"

/* Codes of RM0351: PWR_CR1.VOS, RCC_CFGR.SW and SWS, RCC_PLLCFGR.PLLSRC. */
enum { VOLTAGE_RANGE_1 = 1, VOLTAGE_RANGE_2 = 2 };
enum { SYSTEM_CLOCK_MSI = 0, SYSTEM_CLOCK_PLL = 3 };
enum { PLL_SOURCE_MSI = 1 };

/* Codes of RCC_CR.MSIRANGE (RM0351). */
enum { MSI_200_KHZ = 1, MSI_2_MHZ = 5, MSI_4_MHZ = 6, MSI_24_MHZ = 9 };

typedef struct {
    uint32_t msi_range;
    uint32_t pll_factor;         /* 0: the MSI is the system clock; else VCO = 4 MHz * factor */
    uint32_t pll_output_divider; /* 2, 4, 6 or 8 */
    uint32_t voltage_range;      /* a code of VOS */
    uint32_t wait_states;        /* RM0351, table 11: up to 16/32/48/64/80 MHz, in range 2 up to 6/12/18/26 MHz */
    bool low_power_regulator;    /* needs 2 MHz or less */
} setting_t;

static const setting_t sampling_setting = {MSI_200_KHZ, 0, 0, VOLTAGE_RANGE_2, 0, true};

/* The VCOs, 160 and 104 MHz, are above the 96 MHz of errata 2.1.13. */
static const setting_t plan_settings[CLOCK_PLAN_COUNT] = {
    {MSI_4_MHZ, 40, 2, VOLTAGE_RANGE_1, 4, false},
    {MSI_4_MHZ, 26, 4, VOLTAGE_RANGE_2, 3, false},
    {MSI_2_MHZ, 0, 0, VOLTAGE_RANGE_2, 0, true},
    {MSI_24_MHZ, 0, 0, VOLTAGE_RANGE_2, 3, false},
};

static const setting_t *current; /* NULL on idle */

static void set_voltage_range(uint32_t range)
{
    PWR->CR1 = (PWR->CR1 & ~PWR_CR1_VOS_MASK) | PWR_CR1_VOS(range);
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

/* RM0351, RCC_CR: the range may change while the MSI is ready, in use or not. */
static void set_msi_range(uint32_t range)
{
    RCC->CR = (RCC->CR & ~RCC_CR_MSIRANGE_MASK) | RCC_CR_MSIRANGE(range) | RCC_CR_MSIRGSEL;
    while ((RCC->CR & RCC_CR_MSIRDY) == 0u) {
    }
}

static void select_system_clock(uint32_t source)
{
    RCC->CFGR = (RCC->CFGR & ~RCC_CFGR_SW_MASK) | RCC_CFGR_SW(source);
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS(source)) {
    }
}

static void start_pll(uint32_t factor, uint32_t output_divider)
{
    RCC->PLLCFGR = RCC_PLLCFGR_PLLSRC(PLL_SOURCE_MSI) | RCC_PLLCFGR_PLLM(0) | RCC_PLLCFGR_PLLN(factor) |
                   RCC_PLLCFGR_PLLR(output_divider / 2u - 1u) | RCC_PLLCFGR_PLLREN;
    RCC->CR |= RCC_CR_PLLON;
    while ((RCC->CR & RCC_CR_PLLRDY) == 0u) {
    }
    select_system_clock(SYSTEM_CLOCK_PLL);
}

static void stop_pll(void)
{
    select_system_clock(SYSTEM_CLOCK_MSI);
    RCC->CR &= ~RCC_CR_PLLON;
    while ((RCC->CR & RCC_CR_PLLRDY) != 0u) {
    }
}

static void enter(const setting_t *setting)
{
    if (setting->voltage_range != VOLTAGE_RANGE_2) {
        set_voltage_range(setting->voltage_range);
    }
    set_wait_states(setting->wait_states);
    if (setting->msi_range != MSI_4_MHZ) {
        set_msi_range(MUTANT_MSI_RANGE(setting->msi_range));
    }
    if (setting->pll_factor != 0u) {
        start_pll(MUTANT_PLL_FACTOR(setting->pll_factor), setting->pll_output_divider);
    }
    if (setting->low_power_regulator) {
        PWR->CR1 |= PWR_CR1_LPR;
    }
    current = setting;
}

void clock_init(void)
{
    RCC->APB1ENR1 |= RCC_APB1ENR1_PWREN; /* without it writes to PWR are lost, Stop 2 included */
    (void)RCC->APB1ENR1;
    set_voltage_range(VOLTAGE_RANGE_2);
}

void clock_flash_off_in_sleep(bool off)
{
    FLASH->ACR = (FLASH->ACR & ~FLASH_ACR_SLEEP_PD) | (off ? FLASH_ACR_SLEEP_PD : 0u);
}

void clock_enter_sampling(void)
{
    clock_flash_off_in_sleep(true); /* nothing is fetched then, the DMA writes to SRAM (RM0351, FLASH_ACR.SLEEP_PD) */
    enter(&sampling_setting);
}

void clock_enter_plan(uint32_t plan)
{
    enter(&plan_settings[plan]);
}

void clock_enter_idle(void)
{
    if (current == NULL) {
        return;
    }
    if (current->low_power_regulator) {
        PWR->CR1 &= ~PWR_CR1_LPR;
        while ((PWR->SR2 & PWR_SR2_REGLPF) != 0u) { /* above 2 MHz only on the main regulator */
        }
    }
    if (current->pll_factor != 0u) {
        stop_pll();
    }
    if (current->msi_range != MSI_4_MHZ) {
        set_msi_range(MSI_4_MHZ);
    }
    set_wait_states(0);
    if (current->voltage_range != VOLTAGE_RANGE_2) {
        set_voltage_range(VOLTAGE_RANGE_2);
    }
    clock_flash_off_in_sleep(false);
    current = NULL;
}
