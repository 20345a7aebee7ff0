/* SPDX-License-Identifier: Apache-2.0 */
/* A sine from DAC1 on PA4 by TIM6 and DMA, read back on PA0 by ADC2 and DMA at the same triggers. */
#include "example.h"

#define POINTS 32u
#define DAC_CR REG(0x40007400u)
#define DAC_DHR12R1 0x40007408u
#define DAC_CR_TEN1 (1u << 2) /* TSEL1 0 is TIM6 */
#define DAC_CR_DMAEN1 (1u << 12)
#define ADC2 ((adc_t *)0x50040100u)
#define RCC_APB1ENR1_DAC1EN (1u << 29)
#define DMA_CCR_DIR (1u << 4)
#define DMA_CCR_CIRC (1u << 5)
#define CHANNEL(number, offset) REG(0x40020008u + 0x14u * ((number) - 1u) + (offset))

static const uint16_t sine[POINTS] = {
    2048, 2399, 2737, 3048, 3321, 3545, 3711, 3813, 3848, 3813, 3711, 3545, 3321, 3048, 2737, 2399,
    2048, 1697, 1359, 1048, 775,  551,  385,  283,  248,  283,  385,  551,  775,  1048, 1359, 1697,
};
static volatile uint16_t samples[POINTS];

static void ring(uint32_t channel, uint32_t peripheral, const volatile uint16_t *memory, uint32_t direction)
{
    CHANNEL(channel, 4) = POINTS;
    CHANNEL(channel, 8) = peripheral;
    CHANNEL(channel, 12) = (uint32_t)(uintptr_t)memory;
    CHANNEL(channel, 0) =
        direction | DMA_CCR_MINC | DMA_CCR_PSIZE_16 | DMA_CCR_MSIZE_16 | DMA_CCR_CIRC | DMA_CCR_EN;
}

static void sleep_ms(uint32_t ms)
{
    uint32_t start = ticks;
    while (ticks - start < ms) {
        wait_for_interrupt(); /* the tick wakes it */
    }
}

int example(void)
{
    pins_to_analog();
    SET_BIT(RCC->AHB1ENR, RCC_AHB1ENR_DMA1EN);
    SET_BIT(RCC->AHB2ENR, RCC_AHB2ENR_ADCEN | RCC_AHB2ENR_GPIOAEN);
    SET_BIT(RCC->APB1ENR1, RCC_APB1ENR1_TIM6EN | RCC_APB1ENR1_DAC1EN);
    GPIOA->ASCR = 1u;
    tick_start(4000000u);
    ADC123_COMMON->CCR = ADC_CCR_CKMODE_HCLK;
    ADC2->CR = 0;
    ADC2->CR = ADC_CR_ADVREGEN;
    delay_ms(1);
    SET_BIT(ADC2->CR, ADC_CR_ADCAL);
    while ((ADC2->CR & ADC_CR_ADCAL) != 0u) {
    }
    SET_BIT(ADC2->CR, ADC_CR_ADEN);
    while ((ADC2->ISR & ADC_ISR_ADRDY) == 0u) {
    }
    ADC2->SMPR1 = 4u << 15; /* 47.5 cycles: the output has settled before the sample is taken */
    ADC2->SQR1 = ADC_SQR1_SQ1(5u);
    ADC2->CFGR = ADC_CFGR_DMAEN | (1u << 1) | ADC_CFGR_EXTSEL_TIM6_TRGO | ADC_CFGR_EXTEN_RISING;
    MODIFY_REG(DMA1->CSELR, 0xFF0u, 6u << 8); /* channel 2: ADC2, channel 3: DAC1 */
    ring(2u, (uint32_t)(uintptr_t)&ADC2->DR, samples, 0u);
    ring(3u, DAC_DHR12R1, sine, DMA_CCR_DIR);
    DAC_CR = DAC_CR_TEN1 | DAC_CR_DMAEN1 | 1u;
    SET_BIT(ADC2->CR, ADC_CR_ADSTART);
    TIM6->PSC = 0;
    TIM6->ARR = 400u - 1u;
    TIM6->CR2 = TIM_CR2_MMS_UPDATE;
    TIM6->CR1 = TIM_CR1_CEN;
    sleep_ms(7); /* two rounds */
    for (;;) {
        sleep_ms(4);
        uint32_t highest = 0, worst = 0;
        for (uint32_t index = 0; index < POINTS; index++) {
            uint32_t sample = samples[index];
            uint32_t wanted = sine[(index + POINTS - 1u) % POINTS]; /* the first trigger finds nothing held */
            uint32_t off = sample > wanted ? sample - wanted : wanted - sample;
            highest = sample > highest ? sample : highest;
            worst = off > worst ? off : worst;
        }
        RESULT[VALUE] = highest;
        RESULT[OTHER] = worst;
        RESULT[STEP] = 1;
        RESULT[COUNT]++;
    }
}
