/* SPDX-License-Identifier: Apache-2.0 */
#include "adc.h"

#include "clock.h"
#include "registers.h"

/* Codes of RM0351: ADC_CCR.CKMODE, ADC_SMPR1.SMPx. */
enum { CLOCK_HCLK = 1, SAMPLE_24_5_CYCLES = 3 };

/* The ADC's regulator needs up to 20 us (DS10198 Rev 8, table 76). */
#define REGULATOR_START_CYCLES (CLOCK_IDLE_HZ / 1000000u * 20u)
/* Between the end of the calibration and ADEN: 4 ADC clocks (RM0351, ADC calibration). ADC clock = HCLK here: 4 MHz
 * while it is set up, 200 kHz while it samples (at least 140 kHz: DS10198 Rev 8, table 76). */
#define AFTER_CALIBRATION_CYCLES 4u
/* The internal reference starts within 12 us (DS10198 Rev 8, table 26). */
#define REFERENCE_START_CYCLES (CLOCK_IDLE_HZ / 1000000u * 12u)
#define REFERENCE_ADC_CHANNEL 0u
#define REFERENCE_CONVERSIONS 16u

/* Waits at least `cycles` core cycles: one turn of the loop takes more than one. */
static void wait_cycles(uint32_t cycles)
{
    for (uint32_t i = 0; i < cycles; i++) {
        __asm volatile("nop");
    }
}

void adc_calibrate(uint32_t internal_channels)
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

void adc_enable(void)
{
    ADC1->ISR = ADC_ISR_ADRDY;
    ADC1->CR = ADC_CR_ADVREGEN | ADC_CR_ADEN;
    while ((ADC1->ISR & ADC_ISR_ADRDY) == 0u) {
    }
}

void adc_off(void)
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
    RCC->AHB2ENR &= ~RCC_AHB2ENR_ADCEN;
}

uint32_t adc_convert_reference(void)
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
    adc_off();
    return (sum + REFERENCE_CONVERSIONS / 2u) / REFERENCE_CONVERSIONS;
}
