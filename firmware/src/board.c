/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <stdint.h>

#include "cortex_m4.h"
#include "events.h"
#include "handlers.h"
#include "mutant.h"
#include "registers.h"

#define CONSOLE_TX_PIN 2u        /* PA2 */
#define CONSOLE_RX_PIN 3u        /* PA3 */
#define MARKER_INFERENCE_PIN 8u  /* PA8 */
#define MARKER_ACTIVE_PIN 10u    /* PB10 */
#define USART2_ALTERNATE 7u      /* DS10198 Rev 8, table 17 */

/* Codes of GPIOx_MODER and GPIOx_PUPDR (RM0351). */
enum { GPIO_MODE_INPUT = 0, GPIO_MODE_OUTPUT = 1, GPIO_MODE_ALTERNATE = 2, GPIO_MODE_ANALOG = 3 };
enum { GPIO_PULL_UP = 1 };

static void set_mode(gpio_t *port, unsigned pin, unsigned mode)
{
    port->MODER = (port->MODER & ~(3u << (2u * pin))) | (mode << (2u * pin));
}

static void set_level(gpio_t *port, unsigned pin, bool level)
{
    port->BSRR = level ? 1u << pin : 1u << (pin + 16u);
}

/* The ports' clocks run only while their registers are used: at 80 MHz the two would draw 0.77 mA (DS10198 Rev 8,
 * table 51). Outputs keep their level without. */
static void ports_clock(bool on)
{
    if (on) {
        RCC->AHB2ENR |= RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOBEN;
        (void)RCC->AHB2ENR; /* the clock runs after this read */
    } else {
        RCC->AHB2ENR &= ~(RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOBEN);
    }
}

void board_init(void)
{
    ports_clock(true);

    /* Reset leaves the pins analog except the debug port's; of these JTDI, JTDO and NJTRST are not needed by SWD. */
    GPIOA->PUPDR &= ~(3u << (2u * 15u));
    GPIOB->PUPDR &= ~(3u << (2u * 4u));
    set_mode(GPIOA, 15, GPIO_MODE_ANALOG);
    set_mode(GPIOB, 3, GPIO_MODE_ANALOG);
    set_mode(GPIOB, 4, GPIO_MODE_ANALOG);

    /* While the core sleeps only what it waits for goes on, and the watchdog. */
    RCC->AHB1SMENR = RCC_AHB1SMENR_DMA1SMEN | RCC_AHB1SMENR_SRAM1SMEN;
    RCC->AHB2SMENR = RCC_AHB2SMENR_ADCSMEN;
    RCC->APB1SMENR1 = RCC_APB1SMENR1_TIM6SMEN | RCC_APB1SMENR1_USART2SMEN | RCC_APB1SMENR1_WWDGSMEN |
                      RCC_APB1SMENR1_I2C1SMEN;
    RCC->APB1SMENR2 = 0;
    RCC->APB2SMENR = 0;

    set_level(GPIOA, MARKER_INFERENCE_PIN, false);
    set_mode(GPIOA, MARKER_INFERENCE_PIN, GPIO_MODE_OUTPUT);
    set_level(GPIOB, MARKER_ACTIVE_PIN, false);
    set_mode(GPIOB, MARKER_ACTIVE_PIN, GPIO_MODE_OUTPUT);

    GPIOA->AFRL = (GPIOA->AFRL & ~(15u << (4u * CONSOLE_TX_PIN) | 15u << (4u * CONSOLE_RX_PIN))) |
                  USART2_ALTERNATE << (4u * CONSOLE_TX_PIN) | USART2_ALTERNATE << (4u * CONSOLE_RX_PIN);
    GPIOA->PUPDR |= (uint32_t)GPIO_PULL_UP << (2u * CONSOLE_RX_PIN); /* without effect while the pin is analog */
    ports_clock(false);
}

void board_sleep_clocks_off(void)
{
    RCC->AHB1SMENR = 0;
    RCC->AHB2SMENR = 0;
    RCC->APB1SMENR1 = 0;
}

void board_marker_active(bool level)
{
    ports_clock(true);
    set_level(GPIOB, MARKER_ACTIVE_PIN, level);
    ports_clock(false);
}

void board_marker_inference(bool level)
{
    ports_clock(true);
    set_level(GPIOA, MARKER_INFERENCE_PIN, MUTANT_MARKER_INFERENCE(level));
    ports_clock(false);
}

void board_sensor_pin(bool connected)
{
    ports_clock(true);
    GPIOA->ASCR = connected ? 1u << BOARD_SENSOR_PIN : 0u;
    ports_clock(false);
}

#ifdef SENSOR_LSM6DSL

#define BUS_SCL_PIN 8u /* PB8 */
#define BUS_SDA_PIN 9u /* PB9 */
#define I2C1_ALTERNATE 4u
#define SENSOR_INTERRUPT_PIN 5u /* PB5 */
#define EXTI_LINE_SENSOR (1u << SENSOR_INTERRUPT_PIN)
#define EXTI_PORT_B 1u

void EXTI9_5_IRQHandler(void)
{
    EXTI->PR1 = EXTI_LINE_SENSOR;
    event_set(EVENT_SENSOR);
}

void board_bus_pins(bool connected)
{
    unsigned mode = connected ? GPIO_MODE_ALTERNATE : GPIO_MODE_ANALOG;
    ports_clock(true);
    GPIOB->OTYPER |= 1u << BUS_SCL_PIN | 1u << BUS_SDA_PIN;
    GPIOB->AFRH = (GPIOB->AFRH & ~0xFFu) | I2C1_ALTERNATE | I2C1_ALTERNATE << 4;
    set_mode(GPIOB, BUS_SCL_PIN, mode);
    set_mode(GPIOB, BUS_SDA_PIN, mode);
    ports_clock(false);
}

void board_sensor_interrupt(bool on)
{
    ports_clock(true);
    set_mode(GPIOB, SENSOR_INTERRUPT_PIN, on ? GPIO_MODE_INPUT : GPIO_MODE_ANALOG);
    ports_clock(false);
    RCC->APB2ENR |= RCC_APB2ENR_SYSCFGEN;
    (void)RCC->APB2ENR;
    SYSCFG->EXTICR2 = (SYSCFG->EXTICR2 & ~SYSCFG_EXTICR2_EXTI5_MASK) | SYSCFG_EXTICR2_EXTI5(EXTI_PORT_B);
    RCC->APB2ENR &= ~RCC_APB2ENR_SYSCFGEN;
    EXTI->RTSR1 |= EXTI_LINE_SENSOR;
    EXTI->PR1 = EXTI_LINE_SENSOR;
    EXTI->IMR1 = on ? EXTI->IMR1 | EXTI_LINE_SENSOR : EXTI->IMR1 & ~EXTI_LINE_SENSOR;
    nvic_enable(IRQ_EXTI9_5);
}

#endif

void board_console_pins(board_console_t use)
{
    ports_clock(true);
    set_mode(GPIOA, CONSOLE_TX_PIN, use == BOARD_CONSOLE_AWAKE ? GPIO_MODE_ALTERNATE : GPIO_MODE_ANALOG);
    set_mode(GPIOA, CONSOLE_RX_PIN,
             use == BOARD_CONSOLE_AWAKE    ? GPIO_MODE_ALTERNATE
             : use == BOARD_CONSOLE_ASLEEP ? GPIO_MODE_INPUT
                                           : GPIO_MODE_ANALOG);
    ports_clock(false);
}
