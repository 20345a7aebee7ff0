/* SPDX-License-Identifier: Apache-2.0 */
/* USART2 by a driver with time-outs: what comes is sent back, inverted; silence is counted. */
#include "example.h"

static status_t wait_flag(uint32_t flag, uint32_t timeout)
{
    uint32_t start = ticks;
    while ((USART2->ISR & flag) == 0u) {
        if (ticks - start > timeout) {
            return TIMEOUT;
        }
    }
    return OK;
}

static status_t transmit(uint8_t byte, uint32_t timeout)
{
    if (wait_flag(USART_ISR_TXE, timeout) != OK) {
        return TIMEOUT;
    }
    USART2->TDR = byte;
    return wait_flag(USART_ISR_TC, timeout);
}

static status_t receive(uint8_t *byte, uint32_t timeout)
{
    status_t status = wait_flag(1u << 5, timeout);
    *byte = (status == OK) ? (uint8_t)USART2->RDR : 0u;
    return status;
}

int example(void)
{
    pins_to_analog();
    SET_BIT(RCC->AHB2ENR, RCC_AHB2ENR_GPIOAEN);
    SET_BIT(RCC->APB1ENR1, RCC_APB1ENR1_USART2EN);
    MODIFY_REG(GPIOA->AFR[0], 0xFF00u, 0x7700u);
    MODIFY_REG(GPIOA->MODER, 0xF0u, 0xA0u);
    tick_start(4000000u);
    USART2->BRR = 4000000u / 9600u;
    USART2->CR1 = USART_CR1_UE | USART_CR1_TE | (1u << 2);
    (void)wait_flag(USART_ISR_TEACK, 5);
    RESULT[STEP] = 1;
    for (;;) {
        uint8_t byte;
        status_t status = receive(&byte, 20);
        (status == TIMEOUT) ? (RESULT[OTHER]++) : (RESULT[VALUE] = byte);
        if (status == OK) {
            RESULT[COUNT] += transmit((uint8_t)~byte, 5) == OK ? 1u : 0u;
        }
    }
}
