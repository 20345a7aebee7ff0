/* SPDX-License-Identifier: Apache-2.0 */
/* I2C1 as a controller talks to I2C2 as a target in the same part, which works by interrupts. */
#include "example.h"

typedef struct {
    volatile uint32_t CR1, CR2, OAR1, OAR2, TIMINGR, TIMEOUTR, ISR, ICR, PECR, RXDR, TXDR;
} i2c_t;
#define I2C1 ((i2c_t *)0x40005400u)
#define I2C2 ((i2c_t *)0x40005800u)
#define OWN 0x3Au
enum {
    TXIS = 1u << 1,
    RXNE = 1u << 2,
    ADDR = 1u << 3,
    NACKF = 1u << 4,
    STOPF = 1u << 5,
    TC = 1u << 6,
    DIR = 1u << 16
};
enum { PE = 1u, TXIE = 1u << 1, RXIE = 1u << 2, ADDRIE = 1u << 3, NACKIE = 1u << 4, STOPIE = 1u << 5 };
enum { READ = 1u << 10, START = 1u << 13, AUTOEND = 1u << 25 };

static uint8_t memory[16];
static volatile uint32_t place, first;

/* A register file: the first byte of a write is the register's number. */
void I2C2_EV_Handler(void)
{
    uint32_t flags = I2C2->ISR;
    if ((flags & ADDR) != 0u) {
        if ((flags & DIR) == 0u) {
            first = 1u;
        }
        I2C2->ISR = 1u; /* flush the byte that the read before did not take */
        I2C2->ICR = ADDR;
    }
    if ((flags & RXNE) != 0u) {
        uint8_t byte = (uint8_t)I2C2->RXDR;
        if (first != 0u) {
            place = byte & 15u;
            first = 0u;
        } else {
            memory[place] = byte;
            place = (place + 1u) & 15u;
        }
    }
    if ((flags & TXIS) != 0u) {
        I2C2->TXDR = memory[place];
        place = (place + 1u) & 15u;
    }
    if ((flags & STOPF) != 0u) {
        RESULT[OTHER]++;
    }
    I2C2->ICR = flags & (NACKF | STOPF);
}

static void wait_flag(uint32_t flag)
{
    while ((I2C1->ISR & flag) == 0u) {
    }
}

static void command(uint32_t count, uint32_t flags)
{
    I2C1->CR2 = (OWN << 1) | (count << 16) | START | flags;
}

int example(void)
{
    pins_to_analog();
    SET_BIT(RCC->AHB2ENR, RCC_AHB2ENR_GPIOBEN);
    SET_BIT(RCC->APB1ENR1, 3u << 21);
    MODIFY_REG(GPIOB->AFR[1], 0xFFFFu, 0x4444u);
    SET_BIT(GPIOB->OTYPER, 0xFu << 8);
    MODIFY_REG(GPIOB->MODER, 0xFF0000u, 0xAA0000u);
    I2C1->TIMINGR = 0x00000F12u;
    I2C2->TIMINGR = 0x00000F12u;
    I2C2->OAR1 = (1u << 15) | (OWN << 1);
    I2C2->CR1 = PE | TXIE | RXIE | ADDRIE | NACKIE | STOPIE;
    I2C1->CR1 = PE;
    nvic_enable(IRQ_I2C2_EV);
    for (uint32_t turn = 0; turn < 8u; turn++) {
        command(3u, AUTOEND);
        const uint8_t sent[] = {(uint8_t)(2u * turn), (uint8_t)(turn + 0x30u), (uint8_t)(turn * turn)};
        for (uint32_t index = 0; index < 3u; index++) {
            wait_flag(TXIS);
            I2C1->TXDR = sent[index];
        }
        wait_flag(STOPF);
        I2C1->ICR = STOPF;
        command(1u, 0u);
        wait_flag(TXIS);
        I2C1->TXDR = sent[0];
        wait_flag(TC);
        command(2u, READ | AUTOEND);
        for (uint32_t index = 1; index < 3u; index++) {
            wait_flag(RXNE);
            uint8_t byte = (uint8_t)I2C1->RXDR;
            RESULT[VALUE] += byte;
            RESULT[COUNT] += byte == sent[index] ? 1u : 0u;
        }
        wait_flag(STOPF);
        I2C1->ICR = STOPF;
    }
    RESULT[STEP] = 1;
    wait_for_interrupt();
    return 0;
}
