/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling.h"

#include <stdbool.h>

#include "board.h"
#include "clock.h"
#include "config.h"
#include "cortex_m4.h"
#include "events.h"
#include "handlers.h"
#include "power.h"
#include "registers.h"

/* Codes of RM0351: ADC_CCR.CKMODE, ADC_SMPR1.SMPx, ADC_CFGR.EXTEN and EXTSEL, DMA_CCRx.PSIZE, TIM6_CR2.MMS. */
enum { CLOCK_HCLK = 1, SAMPLE_2_5_CYCLES = 0, SAMPLE_24_5_CYCLES = 3, TRIGGER_RISING = 1, TRIGGER_TIM6_TRGO = 13, SIZE_16 = 1, MASTER_UPDATE = 2 };

/* The ADC's regulator needs up to 20 us (DS10198 Rev 8, table 76). */
#define REGULATOR_START_CYCLES (CLOCK_IDLE_HZ / 1000000u * 20u)
/* Between the end of the calibration and ADEN: 4 ADC clocks (RM0351, ADC calibration). ADC clock = HCLK here: 4 MHz
 * while it is set up, 200 kHz while it samples (at least 140 kHz: DS10198 Rev 8, table 76). */
#define AFTER_CALIBRATION_CYCLES 4u
/* The internal reference starts within 12 us (DS10198 Rev 8, table 26). */
#define REFERENCE_START_CYCLES (CLOCK_IDLE_HZ / 1000000u * 12u)
#define REFERENCE_ADC_CHANNEL 0u
#define REFERENCE_CONVERSIONS 16u

_Static_assert(CLOCK_SAMPLING_HZ % SAMPLE_RATE_HZ == 0u, "the timer divides the clock by a whole number");

static volatile bool window_failed;

void DMA1_Channel1_IRQHandler(void)
{
    if ((DMA1->ISR & DMA_ISR_TEIF1) != 0u) {
        window_failed = true;
    }
    DMA1->IFCR = DMA_IFCR_CGIF1;
    event_set(EVENT_WINDOW);
}

/* Only an overrun comes here: the DMA then gets no more requests and would never finish. */
void ADC1_2_IRQHandler(void)
{
    ADC1->ISR = ADC_ISR_OVR;
    window_failed = true;
    event_set(EVENT_WINDOW);
}

/* Waits at least `cycles` core cycles: one turn of the loop takes more than one. */
static void wait_cycles(uint32_t cycles)
{
    for (uint32_t i = 0; i < cycles; i++) {
        __asm volatile("nop");
    }
}

static void adc_calibrate(uint32_t internal_channels)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_ADCEN;
    (void)RCC->AHB2ENR;
    /* Synchronous: no jitter between trigger and conversion. */
    ADC123_COMMON->CCR = ADC_COMMON_CCR_CKMODE(CLOCK_HCLK) | internal_channels;

    ADC1->CR = 0; /* out of deep power-down */
    ADC1->CR = ADC_CR_ADVREGEN;
    wait_cycles(REGULATOR_START_CYCLES);
    ADC1->CR = ADC_CR_ADVREGEN | ADC_CR_ADCAL; /* deep power-down lost the calibration */
    while ((ADC1->CR & ADC_CR_ADCAL) != 0u) {
    }
    wait_cycles(AFTER_CALIBRATION_CYCLES);
}

static void adc_enable(void)
{
    ADC1->ISR = ADC_ISR_ADRDY;
    ADC1->CR = ADC_CR_ADVREGEN | ADC_CR_ADEN;
    while ((ADC1->ISR & ADC_ISR_ADRDY) == 0u) {
    }
}

static void adc_power_up(void)
{
    adc_calibrate(0);
    board_sensor_pin(true);
    ADC1->SMPR1 = ADC_SMPR1_SMP5(SAMPLE_2_5_CYCLES); /* 12.5 us at 200 kHz */
    ADC1->SQR1 = ADC_SQR1_SQ1(BOARD_SENSOR_ADC_CHANNEL);
    ADC1->CFGR |= ADC_CFGR_EXTEN(TRIGGER_RISING) | ADC_CFGR_EXTSEL(TRIGGER_TIM6_TRGO) | ADC_CFGR_DMAEN;
    ADC1->IER = ADC_IER_OVRIE;
    adc_enable();
}

static void adc_power_down(void)
{
    ADC1->CR |= ADC_CR_ADSTP;
    while ((ADC1->CR & ADC_CR_ADSTP) != 0u) {
    }
    ADC1->CR |= ADC_CR_ADDIS;
    while ((ADC1->CR & ADC_CR_ADEN) != 0u) {
    }
    ADC1->CR = 0; /* regulator off, then deep power-down */
    ADC1->CR = ADC_CR_DEEPPWD;
    ADC123_COMMON->CCR = 0; /* the reference's buffer too: left on it would draw on in Stop */
    board_sensor_pin(false);
    RCC->AHB2ENR &= ~RCC_AHB2ENR_ADCEN;
}

/* cppcheck-suppress constParameterPointer ; the DMA writes there */
error_t sampling_run(uint16_t *samples, uint32_t count)
{
    RCC->AHB1ENR |= RCC_AHB1ENR_DMA1EN;
    RCC->APB1ENR1 |= RCC_APB1ENR1_TIM6EN;
    (void)RCC->APB1ENR1;
    adc_power_up();

    window_failed = false;
    DMA1->CSELR &= ~DMA_CSELR_C1S_MASK /* request 0: ADC1 */;
    DMA1->IFCR = DMA_IFCR_CGIF1;
    DMA1->CPAR1 = (uint32_t)(uintptr_t)&ADC1->DR;
    DMA1->CMAR1 = (uint32_t)(uintptr_t)samples;
    DMA1->CNDTR1 = count;
    DMA1->CCR1 = DMA_CCR1_MSIZE(SIZE_16) | DMA_CCR1_PSIZE(SIZE_16) | DMA_CCR1_MINC | DMA_CCR1_TEIE | DMA_CCR1_TCIE | DMA_CCR1_EN;
    nvic_enable(IRQ_DMA1_CHANNEL1);
    nvic_enable(IRQ_ADC1_2);

    clock_enter_sampling();
    ADC1->CR |= ADC_CR_ADSTART;
    TIM6->CR2 = TIM6_CR2_MMS(MASTER_UPDATE);
    TIM6->ARR = CLOCK_SAMPLING_HZ / SAMPLE_RATE_HZ - 1u;
    TIM6->CNT = 0;
    TIM6->CR1 = TIM6_CR1_CEN;

    (void)power_sleep_until(EVENT_WINDOW);

    clock_enter_idle();
    TIM6->CR1 = 0;
    DMA1->CCR1 = 0;
    adc_power_down();
    RCC->APB1ENR1 &= ~RCC_APB1ENR1_TIM6EN;
    RCC->AHB1ENR &= ~RCC_AHB1ENR_DMA1EN;
    return window_failed ? ERROR_SAMPLING : ERROR_NONE;
}

uint32_t sampling_convert_reference(void)
{
    adc_calibrate(ADC_COMMON_CCR_VREFEN);
    wait_cycles(REFERENCE_START_CYCLES);
    ADC1->SMPR1 = ADC_SMPR1_SMP0(SAMPLE_24_5_CYCLES); /* 6.1 us; at least 4 us (DS10198 Rev 8, table 26) */
    ADC1->SQR1 = ADC_SQR1_SQ1(REFERENCE_ADC_CHANNEL);
    ADC1->CFGR &= ~(ADC_CFGR_EXTEN_MASK | ADC_CFGR_DMAEN);
    adc_enable();
    uint32_t sum = 0;
    for (uint32_t i = 0; i < REFERENCE_CONVERSIONS; i++) {
        ADC1->CR |= ADC_CR_ADSTART;
        while ((ADC1->ISR & ADC_ISR_EOC) == 0u) {
        }
        sum += ADC1->DR;
    }
    adc_power_down();
    return (sum + REFERENCE_CONVERSIONS / 2u) / REFERENCE_CONVERSIONS;
}
