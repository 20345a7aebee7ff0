/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling.h"

#include <stdbool.h>

#include "adc.h"
#include "board.h"
#include "clock.h"
#include "config.h"
#include "cortex_m4.h"
#include "events.h"
#include "handlers.h"
#include "power.h"
#include "registers.h"

/* Codes of RM0351: ADC_SMPR1.SMPx, ADC_CFGR.EXTEN and EXTSEL, DMA_CCRx.PSIZE, TIM6_CR2.MMS. */
enum { SAMPLE_2_5_CYCLES = 0, TRIGGER_RISING = 1, TRIGGER_TIM6_TRGO = 13, SIZE_16 = 1, MASTER_UPDATE = 2 };

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

static void adc_power_up(void)
{
    adc_calibrate(0);
    board_sensor_pin(true);
    volatile uint32_t *times = SENSOR_ADC_CHANNEL < 10u ? &ADC1->SMPR1 : &ADC1->SMPR2; /* three bits a channel */
    *times = (uint32_t)SAMPLE_2_5_CYCLES << (3u * (SENSOR_ADC_CHANNEL % 10u));         /* 12.5 us at 200 kHz */
    ADC1->SQR1 = ADC_SQR1_SQ1(SENSOR_ADC_CHANNEL);
    ADC1->CFGR |= ADC_CFGR_EXTEN(TRIGGER_RISING) | ADC_CFGR_EXTSEL(TRIGGER_TIM6_TRGO) | ADC_CFGR_DMAEN;
    ADC1->IER = ADC_IER_OVRIE;
    adc_enable();
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
    adc_off();
    board_sensor_pin(false);
    RCC->APB1ENR1 &= ~RCC_APB1ENR1_TIM6EN;
    RCC->AHB1ENR &= ~RCC_AHB1ENR_DMA1EN;
    return window_failed ? ERROR_SAMPLING : ERROR_NONE;
}
