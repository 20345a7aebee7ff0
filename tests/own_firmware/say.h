/* SPDX-License-Identifier: Apache-2.0 */
/* A line of text by USART2 at PA2, at 4 MHz; the USART stays on. */
#ifndef SAY_H
#define SAY_H

#include "example.h"

#ifndef BAUD
#define BAUD 115200u
#endif
#define USART_CR1_ON 0x9u /* TE and UE */

static void say(const char *text)
{
    SET_BIT(RCC->AHB2ENR, 1u);
    SET_BIT(RCC->APB1ENR1, 1u << 17);
    (void)RCC->APB1ENR1;
    MODIFY_REG(REG(0x48000000u), 3u << 4, 2u << 4);     /* PA2: alternate function */
    MODIFY_REG(REG(0x48000020u), 0xFu << 8, 7u << 8);   /* AF7, USART2_TX */
    REG(0x4000440Cu) = 4000000u / BAUD;
    REG(0x40004400u) = USART_CR1_ON;
    for (; *text != 0; text++) {
        while ((REG(0x4000441Cu) & (1u << 7)) == 0u) {
        }
        REG(0x40004428u) = (uint32_t)*text;
    }
    while ((REG(0x4000441Cu) & (1u << 6)) == 0u) {
    }
}

#endif
