/* SPDX-License-Identifier: Apache-2.0 */
/* Small firmwares, each of which falls into one trap of low-power design, or avoids it: TRAP(x) defines the
 * entries x_trap and x_avoided. The test writes the address of one of them to `entry` before power-on. */
#ifndef TRAPS_H
#define TRAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "cortex_m4.h"
#include "stm32l476.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define SYSCFG_CFGR1 REG(0x40010004u)
#define SYSCFG_CFGR1_BOOSTEN (1u << 8)
#define VREFBUF_CSR REG(0x40010030u)
#define VREFBUF_CSR_ENVR 1u
#define FLASH_KEYR REG(0x40022008u)
#define FLASH_OPTKEYR REG(0x4002200Cu)
#define FLASH_SR REG(0x40022010u)
#define FLASH_CR REG(0x40022014u)
#define FLASH_OPTR REG(0x40022020u)
#define NVIC_ICPR REG(0xE000E280u)

#define CR1_STOP0 0u
#define CR1_STOP1 1u
#define CR1_STOP2 2u
#define CR1_STANDBY 3u
#define MSI_RANGE(range) ((uint32_t)(range) << 4)
#define MSI_RANGE_MASK (15u << 4)
#define RCC_CR_MSION (1u << 0)
#define RCC_CR_MSIRDY (1u << 1)
#define RCC_CR_MSIRGSEL (1u << 3)
#define RCC_CR_HSION (1u << 8)
#define RCC_CR_HSIKERON (1u << 9)
#define RCC_CR_HSIRDY (1u << 10)
#define RCC_CSR_LSION (1u << 0)
#define RCC_CSR_LSIRDY (1u << 1)
#define RCC_BDCR_RTCSEL_LSI (2u << 8)
#define RCC_BDCR_LSEDRV(drive) ((drive) << 3)
#define RTC_ISR_WUTF_CLEARED (~(RTC_ISR_WUTF | RTC_ISR_INIT))

/* Executes some five cycles a turn. */
void spin(uint32_t turns);

#define TRAP(name)                                                                                                     \
    static void name(bool trapped);                                                                                    \
    __attribute__((used)) void name##_trap(void)                                                                       \
    {                                                                                                                  \
        name(true);                                                                                                    \
    }                                                                                                                  \
    __attribute__((used)) void name##_avoided(void)                                                                    \
    {                                                                                                                  \
        name(false);                                                                                                   \
    }                                                                                                                  \
    static void name(bool trapped)

static inline void power_clock(void)
{
    RCC->APB1ENR1 |= RCC_APB1ENR1_PWREN;
    (void)RCC->APB1ENR1;
}

/* WFI for ever, deep, without anything between the caller's last access and the first WFI. */
_Noreturn static inline void deep_sleep(void)
{
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    for (;;) {
        wait_for_interrupt();
    }
}

_Noreturn static inline void enter(uint32_t mode)
{
    power_clock();
    PWR->CR1 = (PWR->CR1 & ~PWR_CR1_LPMS_MASK) | mode;
    (void)PWR->CR1;
    deep_sleep();
}

static inline void msi_range(uint32_t range)
{
    RCC->CR = (RCC->CR & ~MSI_RANGE_MASK) | MSI_RANGE(range) | RCC_CR_MSIRGSEL;
    while ((RCC->CR & RCC_CR_MSIRDY) == 0) {
    }
}

static inline void low_power_run(void)
{
    msi_range(5); /* 2 MHz, the most it allows */
    power_clock();
    PWR->CR1 |= PWR_CR1_LPR;
    while ((PWR->SR2 & PWR_SR2_REGLPF) == 0) {
    }
}

static inline void backup_access(void)
{
    power_clock();
    PWR->CR1 |= PWR_CR1_DBP;
    RTC->WPR = RTC_WPR_KEY1;
    RTC->WPR = RTC_WPR_KEY2;
}

static inline void rtc_on_lsi(void)
{
    backup_access();
    RCC->CSR |= RCC_CSR_LSION;
    while ((RCC->CSR & RCC_CSR_LSIRDY) == 0) {
    }
    RCC->BDCR = RCC_BDCR_RTCSEL_LSI | RCC_BDCR_RTCEN;
}

static inline void rtc_on_lse(uint32_t drive)
{
    backup_access();
    RCC->BDCR = RCC_BDCR_LSEON | RCC_BDCR_LSEDRV(drive);
    RCC->CIER = RCC_CIER_LSERDYIE;
    interrupts_disable();
    nvic_enable(IRQ_RCC);
    while ((RCC->BDCR & RCC_BDCR_LSERDY) == 0) {
        wait_for_interrupt();
    }
    RCC->CIER = 0;
    RCC->CICR = RCC_CICR_LSERDYC;
    NVIC_ICPR = 1u << IRQ_RCC;
    RCC->BDCR |= RCC_BDCR_RTCSEL_LSE | RCC_BDCR_RTCEN;
}

/* The wake-up timer over RTCCLK / 16, EXTI line 20 and its interrupt. */
static inline void wakeup_every(uint32_t ticks)
{
    RTC->WUTR = ticks - 1;
    RTC->CR = RTC_CR_WUTE | RTC_CR_WUTIE;
    EXTI->RTSR1 = EXTI_LINE_RTC_WAKEUP;
    EXTI->IMR1 |= EXTI_LINE_RTC_WAKEUP;
}

static inline void wakeup_cleared(void)
{
    RTC->ISR = RTC_ISR_WUTF_CLEARED;
    EXTI->PR1 = EXTI_LINE_RTC_WAKEUP;
    NVIC_ICPR = 1u << IRQ_RTC_WKUP;
}

static inline void adc_on(uint32_t internal_channels)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_ADCEN;
    (void)RCC->AHB2ENR;
    ADC123_COMMON->CCR = ADC_CCR_CKMODE_HCLK | internal_channels;
    ADC1->CR = 0;
    ADC1->CR = ADC_CR_ADVREGEN;
    spin(100); /* the regulator's 20 us */
    ADC1->CR = ADC_CR_ADVREGEN | ADC_CR_ADEN;
    while ((ADC1->ISR & ADC_ISR_ADRDY) == 0) {
    }
}

static inline void adc_off(void)
{
    ADC1->CR = ADC_CR_ADVREGEN | ADC_CR_ADDIS;
    while ((ADC1->CR & ADC_CR_ADEN) != 0) {
    }
    ADC1->CR = ADC_CR_DEEPPWD;
    ADC123_COMMON->CCR = 0;
    RCC->AHB2ENR &= ~RCC_AHB2ENR_ADCEN;
}

#define CCR_VREFEN (1u << 22)
#define CCR_TSEN (1u << 23)

#endif
