/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <stdint.h>

#include "cortex_m4.h"
#include "events.h"
#include "handlers.h"
#include "mutant.h"
#include "registers.h"

_Static_assert(CONSOLE_TX_PIN / 8u == CONSOLE_RX_PIN / 8u, "one GPIOx_AFR register holds both");
_Static_assert(BUS_SCL_PIN / 8u == BUS_SDA_PIN / 8u, "one GPIOx_AFR register holds both");

/* Codes of GPIOx_MODER and GPIOx_PUPDR (RM0351). */
enum { GPIO_MODE_INPUT = 0, GPIO_MODE_OUTPUT = 1, GPIO_MODE_ALTERNATE = 2, GPIO_MODE_ANALOG = 3 };
enum { GPIO_PULL_UP = 1 };

static void set_mode(gpio_t *port, unsigned pin, unsigned mode)
{
    port->MODER = (port->MODER & ~(3u << (2u * pin))) | (mode << (2u * pin));
}

/* The register that holds a pin's alternate function, four bits a pin, eight pins a register. */
static volatile uint32_t *alternates(gpio_t *port, unsigned pin)
{
    return pin < 8u ? &port->AFRL : &port->AFRH;
}

static uint32_t alternate(unsigned pin, uint32_t function)
{
    return function << (4u * (pin % 8u));
}

static void set_level(gpio_t *port, unsigned pin, bool level)
{
    port->BSRR = level ? 1u << pin : 1u << (pin + 16u);
}

/* The ports' clocks run only while their registers are used: at 80 MHz two would draw 0.77 mA (DS10198 Rev 8,
 * table 51). Outputs keep their level without. */
static void ports_clock(bool on)
{
    if (on) {
        RCC->AHB2ENR |= BOARD_PORTS;
        (void)RCC->AHB2ENR; /* the clock runs after this read */
    } else {
        RCC->AHB2ENR &= ~BOARD_PORTS;
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
    RCC->APB1SMENR1 = RCC_APB1SMENR1_TIM6SMEN | CONSOLE_ASLEEP_APB1 | RCC_APB1SMENR1_WWDGSMEN | BUS_ASLEEP;
    RCC->APB1SMENR2 = 0;
    RCC->APB2SMENR = CONSOLE_ASLEEP_APB2;

    set_level(MARKER_INFERENCE_PORT, MARKER_INFERENCE_PIN, false);
    set_mode(MARKER_INFERENCE_PORT, MARKER_INFERENCE_PIN, GPIO_MODE_OUTPUT);
    set_level(MARKER_ACTIVE_PORT, MARKER_ACTIVE_PIN, false);
    set_mode(MARKER_ACTIVE_PORT, MARKER_ACTIVE_PIN, GPIO_MODE_OUTPUT);

    volatile uint32_t *console = alternates(CONSOLE_PORT, CONSOLE_TX_PIN);
    *console = (*console & ~(alternate(CONSOLE_TX_PIN, 15u) | alternate(CONSOLE_RX_PIN, 15u))) |
               alternate(CONSOLE_TX_PIN, CONSOLE_ALTERNATE) | alternate(CONSOLE_RX_PIN, CONSOLE_ALTERNATE);
    CONSOLE_PORT->PUPDR |= (uint32_t)GPIO_PULL_UP << (2u * CONSOLE_RX_PIN); /* without effect while the pin is analog */
    ports_clock(false);
}

void board_sleep_clocks_off(void)
{
    RCC->AHB1SMENR = 0;
    RCC->AHB2SMENR = 0;
    RCC->APB1SMENR1 = 0;
    if (CONSOLE_ASLEEP_APB2 != 0u) {
        RCC->APB2SMENR = 0;
    }
}

void board_marker_active(bool level)
{
    ports_clock(true);
    set_level(MARKER_ACTIVE_PORT, MARKER_ACTIVE_PIN, level);
    ports_clock(false);
}

void board_marker_inference(bool level)
{
    ports_clock(true);
    set_level(MARKER_INFERENCE_PORT, MARKER_INFERENCE_PIN, MUTANT_MARKER_INFERENCE(level));
    ports_clock(false);
}

void board_sensor_pin(bool connected)
{
    ports_clock(true);
    SENSOR_PORT->ASCR = connected ? 1u << SENSOR_PIN : 0u;
    ports_clock(false);
}

void board_edge_source(unsigned pin, uint32_t port)
{
    RCC->APB2ENR |= RCC_APB2ENR_SYSCFGEN;
    (void)RCC->APB2ENR;
    volatile uint32_t *sources = &SYSCFG->EXTICR1 + pin / 4u; /* four lines a register, four bits a line */
    *sources = (*sources & ~(15u << (4u * (pin % 4u)))) | port << (4u * (pin % 4u));
    RCC->APB2ENR &= ~RCC_APB2ENR_SYSCFGEN;
}

#ifdef SENSOR_LSM6DSL

#define EXTI_LINE_SENSOR (1u << SENSOR_INTERRUPT_PIN)

void sensor_edge_interrupt(void)
{
    EXTI->PR1 = EXTI_LINE_SENSOR;
    event_set(EVENT_SENSOR);
}

void board_bus_pins(bool connected)
{
    unsigned mode = connected ? GPIO_MODE_ALTERNATE : GPIO_MODE_ANALOG;
    ports_clock(true);
    BUS_PORT->OTYPER |= 1u << BUS_SCL_PIN | 1u << BUS_SDA_PIN;
    volatile uint32_t *bus = alternates(BUS_PORT, BUS_SCL_PIN);
    *bus = (*bus & ~(alternate(BUS_SCL_PIN, 15u) | alternate(BUS_SDA_PIN, 15u))) |
           alternate(BUS_SCL_PIN, BUS_ALTERNATE) | alternate(BUS_SDA_PIN, BUS_ALTERNATE);
    set_mode(BUS_PORT, BUS_SCL_PIN, mode);
    set_mode(BUS_PORT, BUS_SDA_PIN, mode);
    ports_clock(false);
}

void board_sensor_interrupt(bool on)
{
    ports_clock(true);
    set_mode(SENSOR_INTERRUPT_PORT, SENSOR_INTERRUPT_PIN, on ? GPIO_MODE_INPUT : GPIO_MODE_ANALOG);
    ports_clock(false);
    board_edge_source(SENSOR_INTERRUPT_PIN, SENSOR_EDGE_PORT);
    EXTI->RTSR1 |= EXTI_LINE_SENSOR;
    EXTI->PR1 = EXTI_LINE_SENSOR;
    EXTI->IMR1 = on ? EXTI->IMR1 | EXTI_LINE_SENSOR : EXTI->IMR1 & ~EXTI_LINE_SENSOR;
    nvic_enable(SENSOR_EDGE_INTERRUPT);
}

#endif

void board_console_pins(board_console_t use)
{
    ports_clock(true);
    set_mode(CONSOLE_PORT, CONSOLE_TX_PIN, use == BOARD_CONSOLE_AWAKE ? GPIO_MODE_ALTERNATE : GPIO_MODE_ANALOG);
    set_mode(CONSOLE_PORT, CONSOLE_RX_PIN,
             use == BOARD_CONSOLE_AWAKE    ? GPIO_MODE_ALTERNATE
             : use == BOARD_CONSOLE_ASLEEP ? GPIO_MODE_INPUT
                                           : GPIO_MODE_ANALOG);
    ports_clock(false);
}
