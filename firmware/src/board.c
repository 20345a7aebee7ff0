/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <stdint.h>

#include "mutant.h"
#include "stm32l476.h"

#define CONSOLE_TX_PIN 2u        /* PA2 */
#define MARKER_INFERENCE_PIN 8u  /* PA8 */
#define MARKER_ACTIVE_PIN 10u    /* PB10 */
#define USART2_ALTERNATE 7u      /* DS10198 Rev 8, table 17 */

static void set_mode(gpio_t *port, unsigned pin, unsigned mode)
{
    port->MODER = (port->MODER & ~(3u << (2u * pin))) | (mode << (2u * pin));
}

static void set_level(gpio_t *port, unsigned pin, bool level)
{
    port->BSRR = level ? 1u << pin : 1u << (pin + 16u);
}

void board_init(void)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR; /* the clock runs after this read */

    /* Reset leaves the pins analog except the debug port's; of these JTDI, JTDO and NJTRST are not needed by SWD. */
    GPIOA->PUPDR &= ~(3u << (2u * 15u));
    GPIOB->PUPDR &= ~(3u << (2u * 4u));
    set_mode(GPIOA, 15, GPIO_MODE_ANALOG);
    set_mode(GPIOB, 3, GPIO_MODE_ANALOG);
    set_mode(GPIOB, 4, GPIO_MODE_ANALOG);

    set_level(GPIOA, MARKER_INFERENCE_PIN, false);
    set_mode(GPIOA, MARKER_INFERENCE_PIN, GPIO_MODE_OUTPUT);
    set_level(GPIOB, MARKER_ACTIVE_PIN, false);
    set_mode(GPIOB, MARKER_ACTIVE_PIN, GPIO_MODE_OUTPUT);

    GPIOA->AFR[0] = (GPIOA->AFR[0] & ~(15u << (4u * CONSOLE_TX_PIN))) | USART2_ALTERNATE << (4u * CONSOLE_TX_PIN);
}

void board_marker_active(bool level)
{
    set_level(GPIOB, MARKER_ACTIVE_PIN, level);
}

void board_marker_inference(bool level)
{
    set_level(GPIOA, MARKER_INFERENCE_PIN, MUTANT_MARKER_INFERENCE(level));
}

void board_console_pin(bool connected)
{
    set_mode(GPIOA, CONSOLE_TX_PIN, connected ? GPIO_MODE_ALTERNATE : GPIO_MODE_ANALOG);
}
