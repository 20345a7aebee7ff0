/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include "board.h"
#include "clock.h"
#include "config.h"
#include "crc.h"
#include "mutant.h"
#include "registers.h"

#define LINE_CAPACITY 160u   /* the longest record, BOOT with every number at its widest, is under 140 */
#define TRAILER_CAPACITY 7u  /* *CCCC\r\n */
#define NUMBER_MAX_DIGITS 10u

/* Divider rounded to nearest: 35 for 115200 baud from 4 MHz, 0.8 % slow; 8N1 tolerates some 4 %. */
#define BAUD_DIVIDER ((CLOCK_IDLE_HZ + CONSOLE_BAUD / 2u) / CONSOLE_BAUD)

static char line[LINE_CAPACITY];
static uint32_t length;
static uint32_t sequence;

static void put(char character)
{
    if (length < LINE_CAPACITY - TRAILER_CAPACITY) {
        line[length++] = character;
    }
}

static void put_text(const char *text)
{
    while (*text != '\0') {
        put(*text++);
    }
}

static void put_number(uint32_t value)
{
    char digits[NUMBER_MAX_DIGITS];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    while (count > 0u) {
        put(digits[--count]);
    }
}

void console_begin(const char *kind)
{
    length = 0;
    put('@');
    put_number(sequence);
    put(' ');
    put_text(kind);
    sequence += MUTANT_SEQUENCE_STEP;
}

static void put_key(const char *key)
{
    put(' ');
    put_text(key);
    put('=');
}

void console_number(const char *key, uint32_t value)
{
    put_key(key);
    put_number(value);
}

void console_hex(const char *key, uint32_t value, unsigned digits)
{
    put_key(key);
    while (digits > 0u) {
        digits--;
        put("0123456789abcdef"[(value >> (4u * digits)) & 15u]);
    }
}

static void transmit(const char *text, uint32_t count)
{
    RCC->APB1ENR1 |= RCC_APB1ENR1_USART2EN; /* kernel clock: PCLK1, the reset choice of CCIPR */
    (void)RCC->APB1ENR1;
    USART2->BRR = BAUD_DIVIDER;
    USART2->CR1 = USART_CR1_UE | USART_CR1_TE;
    while ((USART2->ISR & USART_ISR_TEACK) == 0u) {
    }
    board_console_pin(true); /* the line idles high from here: no glitch that reads as a start bit */

    for (uint32_t i = 0; i < count; i++) {
        while ((USART2->ISR & USART_ISR_TXE) == 0u) {
        }
        USART2->TDR = (uint8_t)text[i];
    }
    while ((USART2->ISR & USART_ISR_TC) == 0u) {
    }

    board_console_pin(false);
    USART2->CR1 = 0;
    RCC->APB1ENR1 &= ~RCC_APB1ENR1_USART2EN;
}

void console_send(void)
{
    uint32_t crc = crc16_ccitt(&line[1], length - 1u);
    line[length++] = '*';
    for (unsigned shift = 16; shift > 0u; shift -= 4u) {
        line[length++] = "0123456789ABCDEF"[(crc >> (shift - 4u)) & 15u];
    }
    line[length++] = '\r';
    line[length++] = '\n';
    transmit(line, length);
}
