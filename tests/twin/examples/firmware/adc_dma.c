/* SPDX-License-Identifier: Apache-2.0 */
/* VREFINT and PA0 by ADC1, TIM6 and DMA, into a ring; the core sleeps until half of it is new. */
#include "example.h"

#define SAMPLES 32u
static volatile uint16_t samples[SAMPLES];

int example(void)
{
    pins_to_analog();
    SET_BIT(RCC->AHB1ENR, RCC_AHB1ENR_DMA1EN);
    SET_BIT(RCC->AHB2ENR, RCC_AHB2ENR_ADCEN | RCC_AHB2ENR_GPIOAEN);
    SET_BIT(RCC->APB1ENR1, RCC_APB1ENR1_TIM6EN);
    GPIOA->ASCR = 1u;
    tick_start(4000000u);
    ADC123_COMMON->CCR = ADC_CCR_CKMODE_HCLK | (1u << 22);
    ADC1->CR = 0;
    ADC1->CR = ADC_CR_ADVREGEN;
    delay_ms(1);
    SET_BIT(ADC1->CR, ADC_CR_ADCAL);
    while ((ADC1->CR & ADC_CR_ADCAL) != 0u) {
    }
    SET_BIT(ADC1->CR, ADC_CR_ADEN);
    while ((ADC1->ISR & ADC_ISR_ADRDY) == 0u) {
    }
    ADC1->SMPR1 = (3u << 0) | (3u << 15);
    ADC1->SQR1 = 1u | ADC_SQR1_SQ1(0u) | (5u << 12);
    ADC1->CFGR = ADC_CFGR_DMAEN | (1u << 1) | ADC_CFGR_EXTSEL_TIM6_TRGO | ADC_CFGR_EXTEN_RISING;
    CLEAR_BIT(DMA1->CSELR, DMA_CSELR_C1S_MASK);
    DMA1->CPAR1 = (uint32_t)(uintptr_t)&ADC1->DR;
    DMA1->CMAR1 = (uint32_t)(uintptr_t)samples;
    DMA1->CNDTR1 = SAMPLES;
    DMA1->CCR1 = DMA_CCR_MINC | DMA_CCR_PSIZE_16 | DMA_CCR_MSIZE_16 | (1u << 5) | DMA_CCR_EN;
    SET_BIT(ADC1->CR, ADC_CR_ADSTART);
    TIM6->PSC = 0;
    TIM6->ARR = 4000u - 1u;
    TIM6->CR2 = TIM_CR2_MMS_UPDATE;
    TIM6->CR1 = TIM_CR1_CEN;
    for (;;) {
        while ((DMA1->ISR & DMA_ISR_TCIF1) == 0u) {
            wait_for_interrupt(); /* the tick wakes it */
        }
        DMA1->IFCR = DMA_IFCR_CGIF1;
        uint32_t sums[2] = {0, 0};
        for (uint32_t index = 0; index < SAMPLES; index++) {
            sums[index % 2u] += samples[index];
        }
        RESULT[VALUE] = sums[0] / (SAMPLES / 2u);
        RESULT[OTHER] = sums[1] / (SAMPLES / 2u);
        RESULT[COUNT]++;
        RESULT[STEP] = 1;
    }
}
