/* SPDX-License-Identifier: Apache-2.0 */
#include "rtc.h"

#include "backup.h"
#include "config.h"
#include "cortex_m4.h"
#include "events.h"
#include "handlers.h"
#include "mutant.h"
#include "power.h"
#include "registers.h"
#include "timeout.h"
#include "watchdog.h"

#define EXTI_LINE_LSE_FAILURE (1u << 19)
#define EXTI_LINE_RTC_WAKEUP (1u << 20)

/* Codes of RM0351: RCC_BDCR.RTCSEL, RTC_CR.WUCKSEL, RTC_WPR.KEY. */
enum { RTC_CLOCK_NONE = 0, RTC_CLOCK_LSE = 1, RTC_CLOCK_LSI = 2 };
enum { WAKEUP_CLOCK_DIV16 = 0, WAKEUP_CLOCK_SECONDS = 4 };
enum { WPR_KEY1 = 0xCA, WPR_KEY2 = 0x53, WPR_LOCK = 0xFF };

#define LSE_HZ 32768u
#define LSI_HZ 32000u
#define ASYNCHRONOUS_PRESCALER 128u
#define DIV16_MAX_S 32u /* 16 bits of RTCCLK / 16; above, the timer counts whole seconds of the calendar */
#define WAIT_SLICE_MS 250u

void RCC_IRQHandler(void)
{
    RCC->CICR = RCC_CICR_LSERDYC;
    event_set(EVENT_LSE_READY);
}

void TAMP_STAMP_IRQHandler(void)
{
    /* The line stays active as long as the failure is remembered (RCC_BDCR.LSECSSD): masked, it does not keep the part
     * from Stop. */
    EXTI->IMR1 &= ~EXTI_LINE_LSE_FAILURE;
    EXTI->PR1 = EXTI_LINE_LSE_FAILURE;
    event_set(EVENT_LSE_FAILED);
}

void RTC_WKUP_IRQHandler(void)
{
    /* The flag is cleared by writing 0; INIT is the only other writable bit of ISR and must stay 0. */
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
    EXTI->PR1 = EXTI_LINE_RTC_WAKEUP;
    event_set(event_pending(EVENT_WAKEUP) != 0u ? EVENT_OVERDUE : EVENT_WAKEUP);
}

void rtc_unlock_backup_domain(void)
{
    PWR->CR1 |= PWR_CR1_DBP;
    while ((PWR->CR1 & PWR_CR1_DBP) == 0u) {
    }
}

static bool lse_runs(void)
{
    return (RCC->BDCR & RCC_BDCR_LSERDY) != 0u;
}

static uint32_t rtc_clock(void)
{
    return (RCC->BDCR & RCC_BDCR_RTCSEL_MASK) / RCC_BDCR_RTCSEL(1);
}

bool rtc_on_crystal(void)
{
    return rtc_clock() == RTC_CLOCK_LSE;
}

/* In slices, so that the watchdog can be fed. */
static bool start_lse(void)
{
    RCC->CICR = RCC_CICR_LSERDYC;
    RCC->CIER |= RCC_CIER_LSERDYIE;
    nvic_enable(IRQ_RCC);
    /* Drive 00 draws 250 nA, the others up to 630 nA (DS10198 Rev 8, table 58). */
    RCC->BDCR = (RCC->BDCR & ~RCC_BDCR_LSEDRV_MASK) | RCC_BDCR_LSEON;
    for (uint32_t waited_ms = 0; !lse_runs() && waited_ms < LSE_START_TIMEOUT_S * 1000u; waited_ms += WAIT_SLICE_MS) {
        watchdog_feed();
        timeout_start(WAIT_SLICE_MS);
        (void)power_sleep_until(EVENT_LSE_READY | EVENT_TIMEOUT);
    }
    timeout_cancel();
    (void)event_take(EVENT_LSE_READY);
    RCC->CIER &= ~RCC_CIER_LSERDYIE;
    if (!lse_runs()) {
        RCC->BDCR &= ~RCC_BDCR_LSEON;
    }
    return lse_runs();
}

/* Only that, or a failure that the clock security system has seen, lets RTCSEL be chosen anew (RM0351, RCC_BDCR). */
static void reset_backup_domain(void)
{
    uint32_t kept[32];
    backup_read_all(kept);
    RCC->BDCR |= RCC_BDCR_BDRST;
    RCC->BDCR &= ~RCC_BDCR_BDRST;
    backup_write_all(kept);
}

static void start_lsi(void)
{
    RCC->CSR |= RCC_CSR_LSION;
    while ((RCC->CSR & RCC_CSR_LSIRDY) == 0u) {
    }
}

static void select_clock(uint32_t clock)
{
    RCC->BDCR = (RCC->BDCR & ~RCC_BDCR_RTCSEL_MASK) | RCC_BDCR_RTCSEL(clock) | RCC_BDCR_RTCEN;
}

static void unlock_registers(void)
{
    RTC->WPR = WPR_KEY1;
    RTC->WPR = WPR_KEY2;
}

/* The calendar's second: its prescalers are 128 and the rest. */
static void set_prescaler(uint32_t clock_hz)
{
    unlock_registers();
    RTC->ISR |= RTC_ISR_INIT;
    while ((RTC->ISR & RTC_ISR_INITF) == 0u) {
    }
    RTC->PRER = RTC_PRER_PREDIV_S(clock_hz / ASYNCHRONOUS_PRESCALER - 1u); /* two writes (RM0351, RTC_PRER) */
    RTC->PRER = RTC_PRER_PREDIV_S(clock_hz / ASYNCHRONOUS_PRESCALER - 1u) |
                RTC_PRER_PREDIV_A(ASYNCHRONOUS_PRESCALER - 1u);
    RTC->ISR &= ~RTC_ISR_INIT;
    RTC->WPR = WPR_LOCK;
}

static void use_lsi(void)
{
    start_lsi();
    select_clock(RTC_CLOCK_LSI);
    set_prescaler(LSI_HZ);
}

/* Both oscillators must run, and the RTC's clock be chosen, before (RM0351, clock security system on LSE). */
static void supervise_lse(void)
{
    start_lsi();
    EXTI->PR1 = EXTI_LINE_LSE_FAILURE;
    EXTI->RTSR1 |= EXTI_LINE_LSE_FAILURE;
    EXTI->IMR1 |= EXTI_LINE_LSE_FAILURE;
    nvic_enable(IRQ_TAMP_STAMP);
    RCC->BDCR |= RCC_BDCR_LSECSSON;
}

bool rtc_start(void)
{
    uint32_t chosen = rtc_clock();
    bool crystal = lse_runs() || start_lse();
    if (crystal && chosen != RTC_CLOCK_LSE) {
        if (chosen != RTC_CLOCK_NONE) { /* an earlier run had no crystal, or other firmware wanted none */
            reset_backup_domain();
            crystal = start_lse();
        }
        if (crystal) {
            select_clock(RTC_CLOCK_LSE);
            set_prescaler(LSE_HZ);
        }
    }
    if (!crystal) {
        if (rtc_clock() != RTC_CLOCK_NONE && rtc_clock() != RTC_CLOCK_LSI) {
            reset_backup_domain();
        }
        use_lsi();
        return false;
    }
    if (LSE_SUPERVISED) {
        supervise_lse();
    }
    return true;
}

void rtc_fall_back(void)
{
    start_lsi();
    RCC->BDCR &= ~(RCC_BDCR_LSECSSON | RCC_BDCR_LSEON);
    use_lsi();
}

void rtc_stop_wakeup(void)
{
    unlock_registers();
    RTC->CR &= ~(RTC_CR_WUTE | RTC_CR_WUTIE);
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
    RTC->WPR = WPR_LOCK;
    EXTI->PR1 = EXTI_LINE_RTC_WAKEUP;
}

void rtc_start_wakeup(uint32_t period_s)
{
    rtc_stop_wakeup();
    unlock_registers();
    while ((RTC->ISR & RTC_ISR_WUTWF) == 0u) {
    }
    bool short_period = period_s <= DIV16_MAX_S;
    uint32_t tick_hz = (rtc_on_crystal() ? LSE_HZ : LSI_HZ) / 16u;
    RTC->WUTR = (short_period ? period_s * tick_hz : period_s) - 1u;
    EXTI->RTSR1 |= EXTI_LINE_RTC_WAKEUP;
    EXTI->IMR1 |= EXTI_LINE_RTC_WAKEUP;
    nvic_enable(IRQ_RTC_WKUP);
    (void)event_take(EVENT_WAKEUP | EVENT_OVERDUE);
    RTC->CR = (RTC->CR & ~RTC_CR_WUCKSEL_MASK) |
              RTC_CR_WUCKSEL(short_period ? WAKEUP_CLOCK_DIV16 : WAKEUP_CLOCK_SECONDS) | RTC_CR_WUTIE | RTC_CR_WUTE;
    RTC->WPR = WPR_LOCK;
}

static uint32_t subseconds(void)
{
    uint32_t value = RTC->SSR;
    (void)RTC->DR; /* reading the sub-seconds holds the calendar's shadow registers until the date is read */
    return value;
}

uint32_t rtc_count_cycles(void)
{
    uint32_t seconds = (rtc_on_crystal() ? LSE_HZ : LSI_HZ) / ASYNCHRONOUS_PRESCALER;
    uint32_t last = subseconds();
    while (subseconds() == last) {
    }
    last = (last + seconds - 1u) % seconds;
    uint32_t start = DWT->CYCCNT;
    uint32_t end = (last + seconds - RTC_GATE_TICKS) % seconds;
    while (subseconds() != end) {
    }
    return DWT->CYCCNT - start;
}
