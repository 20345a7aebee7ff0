/* SPDX-License-Identifier: Apache-2.0 */
#include "i2c.h"

#include "board.h"
#include "cortex_m4.h"
#include "dma.h"
#include "events.h"
#include "handlers.h"
#include "power.h"
#include "registers.h"
#include "timeout.h"

/* Code of RM0351: RCC_CCIPR.I2CxSEL. */
enum { KERNEL_CLOCK_HSI16 = 2 };

/* 400 kHz from 16 MHz (RM0351, I2C, examples of timing settings). */
#define TIMING                                                                                                    \
    (I2C_TIMINGR_PRESC(1) | I2C_TIMINGR_SCLDEL(3) | I2C_TIMINGR_SDADEL(2) | I2C_TIMINGR_SCLH(3) | I2C_TIMINGR_SCLL(9))

/* A byte takes 23 us, 90 cycles of the idle clock: a bus that has not moved after this many looks is stuck. */
#define STUCK_AFTER_LOOKS 1000u
/* 255 bytes take 6 ms. */
#define STUCK_AFTER_MS 20u

void bus_interrupt(void)
{
    BUS->CR1 &= ~(I2C_CR1_STOPIE | I2C_CR1_NACKIE);
    event_set(EVENT_BUS);
}

void i2c_on(void)
{
    RCC->CR |= RCC_CR_HSION;
    while ((RCC->CR & RCC_CR_HSIRDY) == 0u) {
    }
    RCC->CCIPR = (RCC->CCIPR & ~BUS_CLOCK_MASK) | BUS_CLOCK(KERNEL_CLOCK_HSI16);
    RCC->APB1ENR1 |= BUS_GATE;
    RCC->AHB1ENR |= RCC_AHB1ENR_DMA1EN;
    (void)RCC->APB1ENR1;
    board_bus_pins(true);
    BUS->TIMINGR = TIMING;
    BUS->CR1 = I2C_CR1_PE;
    nvic_enable(BUS_INTERRUPT);
}

void i2c_off(void)
{
    BUS->CR1 = 0;
    board_bus_pins(false);
    RCC->AHB1ENR &= ~RCC_AHB1ENR_DMA1EN;
    RCC->APB1ENR1 &= ~BUS_GATE;
    RCC->CR &= ~RCC_CR_HSION;
}

/* True once one of `flags` is set, unless the address or a byte was not acknowledged or nothing happens. */
static bool wait_for(uint32_t flags)
{
    for (uint32_t look = 0; look < STUCK_AFTER_LOOKS; look++) {
        uint32_t status = BUS->ISR;
        if ((status & I2C_ISR_NACKF) != 0u) {
            return false;
        }
        if ((status & flags) != 0u) {
            return true;
        }
    }
    return false;
}

/* After a failure: whatever the peripheral was doing ends. */
static bool finish(bool succeeded)
{
    BUS->ICR = I2C_ICR_STOPCF | I2C_ICR_NACKCF;
    if (!succeeded) {
        BUS->CR1 = 0;
        (void)BUS->CR1; /* PE must be low for three APB clocks (RM0351) */
        (void)BUS->CR1;
        BUS->CR1 = I2C_CR1_PE;
    }
    return succeeded;
}

static bool send(uint32_t address, const uint8_t *bytes, uint32_t count, uint32_t end_flag, uint32_t autoend)
{
    BUS->CR2 = I2C_CR2_SADD(address << 1) | I2C_CR2_NBYTES(count) | I2C_CR2_START | autoend;
    bool going = true;
    for (uint32_t i = 0; going && i < count; i++) {
        going = wait_for(I2C_ISR_TXIS);
        if (going) {
            BUS->TXDR = bytes[i];
        }
    }
    return going && wait_for(end_flag);
}

bool i2c_write(uint32_t address, const uint8_t *bytes, uint32_t count)
{
    return finish(send(address, bytes, count, I2C_ISR_STOPF, I2C_CR2_AUTOEND));
}

static bool receive(uint32_t address, const uint8_t *bytes, uint32_t count)
{
    DMA1->CSELR = (DMA1->CSELR & ~DMA_NAME(DMA_CSELR_C, BUS_DMA_CHANNEL, S_MASK)) | DMA_NAME(DMA_CSELR_C, BUS_DMA_CHANNEL, S)(BUS_DMA_REQUEST);
    DMA1->IFCR = DMA_NAME(DMA_IFCR_CGIF, BUS_DMA_CHANNEL, );
    DMA1->DMA_NAME(CPAR, BUS_DMA_CHANNEL, ) = (uint32_t)(uintptr_t)&BUS->RXDR;
    DMA1->DMA_NAME(CMAR, BUS_DMA_CHANNEL, ) = (uint32_t)(uintptr_t)bytes;
    DMA1->DMA_NAME(CNDTR, BUS_DMA_CHANNEL, ) = count;
    DMA1->DMA_NAME(CCR, BUS_DMA_CHANNEL, ) = DMA_NAME(DMA_CCR, BUS_DMA_CHANNEL, _MINC) | DMA_NAME(DMA_CCR, BUS_DMA_CHANNEL, _EN);
    (void)event_take(EVENT_BUS);
    BUS->CR1 = I2C_CR1_PE | I2C_CR1_RXDMAEN | I2C_CR1_STOPIE | I2C_CR1_NACKIE;
    BUS->CR2 = I2C_CR2_SADD(address << 1) | I2C_CR2_NBYTES(count) | I2C_CR2_RD_WRN | I2C_CR2_START | I2C_CR2_AUTOEND;
    timeout_start(STUCK_AFTER_MS);
    bool done = (power_sleep_until(EVENT_BUS | EVENT_TIMEOUT) & EVENT_BUS) != 0u;
    timeout_cancel();
    done = done && (BUS->ISR & I2C_ISR_NACKF) == 0u && DMA1->DMA_NAME(CNDTR, BUS_DMA_CHANNEL, ) == 0u;
    DMA1->DMA_NAME(CCR, BUS_DMA_CHANNEL, ) = 0;
    BUS->CR1 = I2C_CR1_PE;
    return done;
}

/* cppcheck-suppress constParameterPointer ; the DMA writes there */
bool i2c_read(uint32_t address, uint8_t first_register, uint8_t *bytes, uint32_t count)
{
    return finish(send(address, &first_register, 1, I2C_ISR_TC, 0) && receive(address, bytes, count));
}
