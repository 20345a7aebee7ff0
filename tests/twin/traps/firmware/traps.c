/* SPDX-License-Identifier: Apache-2.0 */
/* Small firmwares, each of which falls into one trap of low-power design, or avoids it: TRAP(x) defines the
 * entries x_trap and x_avoided. The test writes the address of one of them to `entry` before power-on. */
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
#define GPIOC ((gpio_t *)0x48000800u)

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

extern uint32_t stack_top[];

/* Which entry to run; erased flash until the test fills it in. */
__attribute__((section(".entry"), used)) void (*const volatile entry)(void) = (void (*)(void))0xFFFFFFFF;

_Noreturn void Reset_Handler(void);
static void Ignored_Handler(void);
static void Tick_Handler(void);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winitializer-overrides"
__attribute__((section(".vectors"), used)) static void (*const vectors[16 + IRQ_COUNT])(void) = {
    [0] = (void (*)(void))(uintptr_t)stack_top,
    [1] = Reset_Handler,
    [2 ... 15 + IRQ_COUNT] = Ignored_Handler,
    [15] = Tick_Handler,
};
#pragma GCC diagnostic pop

void Reset_Handler(void)
{
    SCB_CPACR |= SCB_CPACR_FPU_FULL_ACCESS;
    entry();
    for (;;) {
    }
}

static void Ignored_Handler(void)
{
    for (;;) {
    }
}

__attribute__((noinline)) static void spin(uint32_t turns)
{
    while (turns-- != 0) {
        __asm volatile("nop");
    }
}

/* What a tick of an RTOS costs, more or less. */
static void Tick_Handler(void)
{
    spin(50);
}

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

static void power_clock(void)
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

static void msi_range(uint32_t range)
{
    RCC->CR = (RCC->CR & ~MSI_RANGE_MASK) | MSI_RANGE(range) | RCC_CR_MSIRGSEL;
    while ((RCC->CR & RCC_CR_MSIRDY) == 0) {
    }
}

static void low_power_run(void)
{
    msi_range(5); /* 2 MHz, the most it allows */
    power_clock();
    PWR->CR1 |= PWR_CR1_LPR;
    while ((PWR->SR2 & PWR_SR2_REGLPF) == 0) {
    }
}

static void backup_access(void)
{
    power_clock();
    PWR->CR1 |= PWR_CR1_DBP;
    RTC->WPR = RTC_WPR_KEY1;
    RTC->WPR = RTC_WPR_KEY2;
}

static void rtc_on_lsi(void)
{
    backup_access();
    RCC->CSR |= RCC_CSR_LSION;
    while ((RCC->CSR & RCC_CSR_LSIRDY) == 0) {
    }
    RCC->BDCR = RCC_BDCR_RTCSEL_LSI | RCC_BDCR_RTCEN;
}

static void rtc_on_lse(uint32_t drive)
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
static void wakeup_every(uint32_t ticks)
{
    RTC->WUTR = ticks - 1;
    RTC->CR = RTC_CR_WUTE | RTC_CR_WUTIE;
    EXTI->RTSR1 = EXTI_LINE_RTC_WAKEUP;
    EXTI->IMR1 |= EXTI_LINE_RTC_WAKEUP;
}

static void wakeup_cleared(void)
{
    RTC->ISR = RTC_ISR_WUTF_CLEARED;
    EXTI->PR1 = EXTI_LINE_RTC_WAKEUP;
    NVIC_ICPR = 1u << IRQ_RTC_WKUP;
}

/* --- A: entry is refused or lands in another mode --- */

TRAP(a1_lpr_set)
{
    msi_range(5);
    power_clock();
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2 | (trapped ? PWR_CR1_LPR : 0u);
    deep_sleep();
}

TRAP(a2_power_clock_off)
{
    if (!trapped) {
        power_clock();
    }
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2;
    deep_sleep();
}

TRAP(a3_mode_left_at_reset)
{
    enter(trapped ? CR1_STOP0 : CR1_STOP2);
}

TRAP(a4_line_pending)
{
    EXTI->IMR1 |= 1u << 9;
    EXTI->SWIER1 = 1u << 9;
    if (!trapped) {
        EXTI->PR1 = 1u << 9;
    }
    enter(CR1_STOP2);
}

TRAP(a4_rtc_flag_left)
{
    rtc_on_lsi();
    wakeup_every(20);
    while ((RTC->ISR & RTC_ISR_WUTF) == 0) {
    }
    RTC->CR = RTC_CR_WUTIE;
    if (trapped) {
        EXTI->PR1 = EXTI_LINE_RTC_WAKEUP; /* and not the RTC's own flag */
    } else {
        wakeup_cleared();
    }
    enter(CR1_STOP2);
}

TRAP(a5_tick_left_running)
{
    SYSTICK->LOAD = 500 - 1; /* 1 ms at HCLK / 8 */
    SYSTICK->CTRL = trapped ? SYSTICK_CTRL_ENABLE | SYSTICK_CTRL_TICKINT : 0u;
    for (;;) {
        wait_for_interrupt();
    }
}

TRAP(a6_stop2_from_low_power_run)
{
    low_power_run();
    if (!trapped) {
        PWR->CR1 = PWR_CR1_VOS_RANGE1;
        while ((PWR->SR2 & PWR_SR2_REGLPF) != 0) {
        }
    }
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2; /* out of low-power run and down, all at once */
    deep_sleep();
}

TRAP(a7_fast_msi_stopped)
{
    FLASH->ACR = (FLASH->ACR & ~FLASH_ACR_LATENCY_MASK) | 2u;
    msi_range(11);
    RCC->CR |= RCC_CR_HSION;
    while ((RCC->CR & RCC_CR_HSIRDY) == 0) {
    }
    RCC->CFGR = 1;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != 4) {
    }
    if (!trapped) {
        msi_range(6);
    }
    RCC->CR &= ~RCC_CR_MSION;
    enter(CR1_STOP2);
}

/* The button at PC13 wakes with a falling edge, if its polarity in CR4 arrives. */
TRAP(a8_cr4_written_last)
{
    power_clock();
    PWR->CR3 |= 1u << 1;
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STANDBY;
    PWR->SCR = 0x1F;
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    PWR->CR4 = 1u << 1;
    if (!trapped) {
        (void)PWR->CR4;
    }
    deep_sleep();
}

static void adc_on(uint32_t internal_channels)
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

static void adc_off(void)
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

TRAP(a9_temperature_sensor_left_on)
{
    adc_on(CCR_TSEN);
    if (!trapped) {
        adc_off();
    }
    enter(CR1_STOP2);
}

/* --- B: debug logic left on --- */

TRAP(b1_debug_in_stop)
{
    if (trapped) {
        DBGMCU->CR = DBGMCU_CR_SLEEP_STOP_STANDBY;
    }
    enter(CR1_STOP2);
}

/* --- C: clocks and analog blocks left on --- */

TRAP(c1_hsi16_kept_on)
{
    RCC->CR |= RCC_CR_HSION | (trapped ? RCC_CR_HSIKERON : 0u);
    enter(CR1_STOP2);
}

TRAP(c2_crystal_driven_hard)
{
    rtc_on_lse(trapped ? 3 : 0);
    enter(CR1_STOP2);
}

/* Wakes 1 s after the timer was started, if RTCCLK is a crystal's. */
TRAP(c3_rtc_on_lsi)
{
    if (trapped) {
        rtc_on_lsi();
    } else {
        rtc_on_lse(0);
    }
    interrupts_disable();
    nvic_enable(IRQ_RTC_WKUP);
    wakeup_every(2048);
    power_clock();
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | PWR_CR1_DBP | CR1_STOP2;
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    for (;;) {
        wait_for_interrupt();
        wakeup_cleared();
    }
}

TRAP(c4_crystal_polled)
{
    backup_access();
    RCC->BDCR = RCC_BDCR_LSEON;
    if (trapped) {
        while ((RCC->BDCR & RCC_BDCR_LSERDY) == 0) {
        }
    } else {
        SYSTICK->LOAD = 500000 - 1; /* give it a second, asleep */
        SYSTICK->CTRL = SYSTICK_CTRL_ENABLE | SYSTICK_CTRL_TICKINT;
        wait_for_interrupt();
        SYSTICK->CTRL = 0;
        RCC->BDCR = 0;
        rtc_on_lsi();
    }
    enter(CR1_STOP2);
}

TRAP(c5_voltage_detector_on)
{
    power_clock();
    PWR->CR2 = trapped ? 1u : 0u;
    enter(CR1_STOP2);
}

#define OPTR_BOR_LEV(level) ((uint32_t)(level) << 8)
#define OPTR_BOR_LEV_MASK OPTR_BOR_LEV(7)

TRAP(c5_brown_out_level_raised)
{
    if (trapped && (FLASH_OPTR & OPTR_BOR_LEV_MASK) == 0) {
        FLASH_KEYR = 0x45670123u;
        FLASH_KEYR = 0xCDEF89ABu;
        FLASH_OPTKEYR = 0x08192A3Bu;
        FLASH_OPTKEYR = 0x4C5D6E7Fu;
        FLASH_OPTR = (FLASH_OPTR & ~OPTR_BOR_LEV_MASK) | OPTR_BOR_LEV(3);
        FLASH_CR = 1u << 17; /* OPTSTRT */
        while ((FLASH_SR & (1u << 16)) != 0) {
        }
        FLASH_CR = 1u << 27; /* OBL_LAUNCH */
        for (;;) {
        }
    }
    enter(CR1_STOP2);
}

TRAP(c6_monitors_on)
{
    power_clock();
    PWR->CR2 = trapped ? 0xF0u : 0u;
    enter(CR1_STOP2);
}

TRAP(c7_reference_buffer_on)
{
    RCC->APB2ENR |= 1;
    (void)RCC->APB2ENR;
    VREFBUF_CSR = VREFBUF_CSR_ENVR;
    spin(100);
    if (!trapped) {
        VREFBUF_CSR = 0;
    }
    enter(CR1_STOP2);
}

TRAP(c8_adc_left_on)
{
    adc_on(CCR_VREFEN);
    if (!trapped) {
        adc_off();
    }
    enter(CR1_STOP2);
}

TRAP(c9_switch_booster_on)
{
    RCC->APB2ENR |= 1;
    (void)RCC->APB2ENR;
    SYSCFG_CFGR1 |= trapped ? SYSCFG_CFGR1_BOOSTEN : 0u;
    enter(CR1_STOP2);
}

TRAP(c10_flash_on_in_low_power_sleep)
{
    low_power_run();
    msi_range(0);
    if (!trapped) {
        FLASH->ACR |= 1u << 14; /* SLEEP_PD */
    }
    for (;;) {
        wait_for_interrupt();
    }
}

/* --- D: pins --- */

TRAP(d1_inputs_left_floating)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    GPIOB->PUPDR = 0;
    GPIOB->MODER = 0;
    if (!trapped) {
        GPIOB->MODER = 0xFFFFFFFFu;
    }
    enter(CR1_STOP2);
}

/* PB0 is an input with a pull-up; the other end of the line is low. */
TRAP(d3_pull_up_against_low_line)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    GPIOB->MODER &= ~3u;
    GPIOB->PUPDR |= trapped ? 1u : 0u;
    enter(CR1_STOP2);
}

/* PA15 and PB4 have pull-ups from reset on. */
TRAP(d4_debug_pins_unparked)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    if (!trapped) {
        GPIOA->MODER |= 3u << 30;
        GPIOB->MODER |= 3u << 8;
    }
    enter(CR1_STOP2);
}

/* The button at PC13 is high at rest. */
TRAP(d5_wakeup_polarity)
{
    power_clock();
    PWR->CR4 = trapped ? 0u : 1u << 1;
    PWR->CR3 |= 1u << 1;
    enter(CR1_STANDBY);
}

TRAP(d6_console_pin_wakes)
{
    power_clock();
    if (trapped) {
        PWR->CR3 |= 1u << 3;
    }
    enter(CR1_STANDBY);
}

TRAP(pin_toggled_into_load)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    GPIOB->MODER = (GPIOB->MODER & ~3u) | GPIO_MODE_OUTPUT;
    for (;;) {
        GPIOB->BSRR = trapped ? 1u : 0u;
        spin(100);
        GPIOB->BSRR = 1u << 16;
        spin(100);
    }
}

TRAP(pin_left_high_into_load)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    GPIOB->ODR = trapped ? 1u : 0u;
    GPIOB->MODER = (GPIOB->MODER & ~3u) | GPIO_MODE_OUTPUT;
    enter(CR1_STOP2);
}
