/* SPDX-License-Identifier: Apache-2.0 */
/* I2C1 between two targets: one answers with its identity, the other address is nobody's; each wait ends. */
#include "example.h"

#define I2C1_CR1 REG(0x40005400u)
#define I2C1_CR2 REG(0x40005404u)
#define I2C1_TIMINGR REG(0x40005410u)
#define I2C1_ISR REG(0x40005418u)
#define I2C1_ICR REG(0x4000541Cu)
#define I2C1_RXDR REG(0x40005424u)
#define I2C1_TXDR REG(0x40005428u)
enum { TXIS = 1u << 1, RXNE = 1u << 2, NACKF = 1u << 4, STOPF = 1u << 5, TC = 1u << 6 };

static status_t wait_flag(uint32_t flag)
{
    uint32_t start = ticks;
    while ((I2C1_ISR & flag) == 0u) {
        if ((I2C1_ISR & NACKF) != 0u) {
            while ((I2C1_ISR & STOPF) == 0u) {
            }
            I2C1_ICR = NACKF | STOPF;
            return ERROR;
        }
        if (ticks - start > 10u) {
            return TIMEOUT;
        }
    }
    return OK;
}

static status_t read_register(uint32_t address, uint8_t index, uint8_t *value)
{
    I2C1_CR2 = (address << 1) | (1u << 16) | (1u << 13);
    status_t status = wait_flag(TXIS);
    if (status != OK) {
        return status;
    }
    I2C1_TXDR = index;
    if (wait_flag(TC) != OK) {
        return ERROR;
    }
    I2C1_CR2 = (address << 1) | (1u << 10) | (1u << 16) | (1u << 25) | (1u << 13);
    if (wait_flag(RXNE) != OK) {
        return ERROR;
    }
    *value = (uint8_t)I2C1_RXDR;
    status = wait_flag(STOPF);
    I2C1_ICR = STOPF;
    return status;
}

int example(void)
{
    pins_to_analog();
    SET_BIT(RCC->AHB2ENR, RCC_AHB2ENR_GPIOBEN);
    SET_BIT(RCC->APB1ENR1, 1u << 21);
    MODIFY_REG(GPIOB->AFR[1], 0xFFu, 0x44u);
    SET_BIT(GPIOB->OTYPER, 3u << 8);
    MODIFY_REG(GPIOB->MODER, 0xF0000u, 0xA0000u);
    tick_start(4000000u);
    I2C1_TIMINGR = 0x00000F12u;
    I2C1_CR1 = 1u;
    for (uint32_t turn = 0; turn < 50u; turn++) {
        uint8_t value = 0;
        status_t status = read_register(turn % 2u == 0u ? 0x6Au : 0x50u, 0x0Fu, &value);
        if (status == OK) {
            RESULT[VALUE] = value;
            RESULT[COUNT]++;
        } else {
            RESULT[OTHER] += status == ERROR ? 1u : 0x100u;
        }
    }
    tick_stop();
    I2C1_CR1 = 0;
    MODIFY_REG(GPIOB->MODER, 0xF0000u, 0xF0000u);
    CLEAR_BIT(RCC->APB1ENR1, 1u << 21);
    CLEAR_BIT(RCC->AHB2ENR, RCC_AHB2ENR_GPIOBEN);
    RESULT[STEP] = 1;
    wait_for_interrupt();
    return 0;
}
