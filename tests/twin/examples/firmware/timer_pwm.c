/* SPDX-License-Identifier: Apache-2.0 */
/* TIM2 makes a PWM at PA0, TIM3 measures period and duty at PA6, which a wire connects. */
#include "example.h"

#define TIM(base, offset) REG((base) + (offset))
#define TIM2_BASE 0x40000000u
#define TIM3_BASE 0x40000400u
enum { CR1 = 0x00, SMCR = 0x08, SR = 0x10, CCMR1 = 0x18, CCER = 0x20, PSC = 0x28, ARR = 0x2C, CCR1 = 0x34, CCR2 = 0x38 };

int example(void)
{
    pins_to_analog();
    SET_BIT(RCC->AHB2ENR, RCC_AHB2ENR_GPIOAEN);
    SET_BIT(RCC->APB1ENR1, 3u);
    MODIFY_REG(GPIOA->AFR[0], 0x0F00000Fu, 0x02000001u);
    MODIFY_REG(GPIOA->MODER, 0x3003u, 0x2002u);
    TIM(TIM2_BASE, PSC) = 3u;
    TIM(TIM2_BASE, ARR) = 999u; /* 1 kHz */
    TIM(TIM2_BASE, CCR1) = 250u;
    TIM(TIM2_BASE, CCMR1) = 0x68u;
    TIM(TIM2_BASE, CCER) = 1u;
    TIM(TIM2_BASE, CR1) = 0x81u;
    /* PWM input: TI1 resets the counter, channel 1 takes the period, channel 2 the falling edge. */
    TIM(TIM3_BASE, PSC) = 3u;
    TIM(TIM3_BASE, ARR) = 0xFFFFu;
    TIM(TIM3_BASE, CCMR1) = 0x0201u;
    TIM(TIM3_BASE, CCER) = 0x31u;
    TIM(TIM3_BASE, SMCR) = 0x54u;
    TIM(TIM3_BASE, CR1) = 1u;
    tick_start(4000000u);
    delay_ms(5);
    tick_stop();
    for (;;) {
        while ((TIM(TIM3_BASE, SR) & 2u) == 0u) {
        }
        RESULT[VALUE] = TIM(TIM3_BASE, CCR1);
        RESULT[OTHER] = TIM(TIM3_BASE, CCR2);
        RESULT[COUNT]++;
        RESULT[STEP] = 1;
    }
}
