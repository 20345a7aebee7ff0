/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include "board.h"
#include "config.h"
#include "cortex_m4.h"
#include "dma.h"
#include "events.h"
#include "handlers.h"
#include "mutant.h"
#include "power.h"
#include "registers.h"

/* Code of RM0351: RCC_CCIPR.USARTxSEL. */
enum { KERNEL_CLOCK_HSI16 = 2 };

#define EXTI_LINE_RECEIVE (1u << CONSOLE_RX_PIN)
#define EDGE_PORT_AFTER_RESET 0u /* port A: what SYSCFG_EXTICR selects */
#define KERNEL_HZ 16000000u
/* Divider rounded to nearest: 139 for 115200 baud, 0.08 % slow; 8N1 tolerates some 4 %. */
#define BAUD_DIVIDER ((KERNEL_HZ + CONSOLE_BAUD / 2u) / CONSOLE_BAUD)

#define RING_CAPACITY 128u /* a power of two; more than the longest command */

static record_t record;
static uint32_t sequence;
static bool listening;

static volatile char ring[RING_CAPACITY];
static volatile uint32_t ring_written; /* by the handler */
static uint32_t ring_read;
static volatile error_t damage;

static void receive(void)
{
    char character = (char)(CONSOLE_UART->RDR & 0xFFu);
    if (ring_written - ring_read == RING_CAPACITY) {
        damage = ERROR_COMMAND_OVERRUN;
    } else {
        ring[ring_written % RING_CAPACITY] = character;
        ring_written++;
    }
    event_set(EVENT_RECEIVED);
}

void console_interrupt(void)
{
    uint32_t flags = CONSOLE_UART->ISR;
    if ((flags & USART_ISR_RXNE) != 0u) {
        receive();
    }
    if ((flags & (USART_ISR_FE | USART_ISR_NF)) != 0u) {
        CONSOLE_UART->ICR = USART_ICR_FECF | USART_ICR_NCF;
        damage = ERROR_COMMAND_CORRUPT;
    }
    if ((flags & USART_ISR_ORE) != 0u) {
        CONSOLE_UART->ICR = USART_ICR_ORECF;
        damage = ERROR_COMMAND_OVERRUN;
    }
    if ((flags & USART_ISR_TC) != 0u && (CONSOLE_UART->CR1 & USART_CR1_TCIE) != 0u) {
        CONSOLE_UART->CR1 &= ~USART_CR1_TCIE;
        event_set(EVENT_SENT);
    }
}

void console_edge_interrupt(void)
{
    EXTI->IMR1 &= ~EXTI_LINE_RECEIVE; /* the first edge is enough: a byte has several, on a slow clock too many */
    EXTI->PR1 = EXTI_LINE_RECEIVE;
    event_set(EVENT_CONSOLE_EDGE);
}

void console_arm(void)
{
    EXTI->PR1 = EXTI_LINE_RECEIVE;
    EXTI->IMR1 |= EXTI_LINE_RECEIVE;
}

void console_init(void)
{
    board_console_pins(BOARD_CONSOLE_ASLEEP);
    if (CONSOLE_EDGE_PORT != EDGE_PORT_AFTER_RESET) {
        board_edge_source(CONSOLE_RX_PIN, CONSOLE_EDGE_PORT);
    }
    EXTI->FTSR1 |= EXTI_LINE_RECEIVE;
    nvic_enable(CONSOLE_EDGE_INTERRUPT);
    nvic_enable(CONSOLE_INTERRUPT);
    console_arm();
}

static void usart_on(void)
{
    RCC->CR |= RCC_CR_HSION;
    while ((RCC->CR & RCC_CR_HSIRDY) == 0u) {
    }
    RCC->CCIPR = (RCC->CCIPR & ~CONSOLE_CLOCK_MASK) | CONSOLE_CLOCK(KERNEL_CLOCK_HSI16);
    RCC->CONSOLE_GATES |= CONSOLE_GATE;
    (void)RCC->CONSOLE_GATES;
    CONSOLE_UART->BRR = BAUD_DIVIDER;
    CONSOLE_UART->CR3 = USART_CR3_DMAT | USART_CR3_EIE;
    CONSOLE_UART->CR1 = USART_CR1_UE | USART_CR1_TE;
    while ((CONSOLE_UART->ISR & USART_ISR_TEACK) == 0u) {
    }
    board_console_pins(BOARD_CONSOLE_AWAKE); /* the line idles high from here: no glitch that reads as a start bit */
}

static void usart_off(void)
{
    board_console_pins(BOARD_CONSOLE_ASLEEP);
    CONSOLE_UART->CR1 = 0;
    RCC->CONSOLE_GATES &= ~CONSOLE_GATE;
    RCC->CR &= ~RCC_CR_HSION;
}

record_t *console_begin(const char *kind)
{
    record_begin(&record, sequence, kind);
    sequence += MUTANT_SEQUENCE_STEP;
    return &record;
}

/* The DMA feeds the USART, which wakes the core when the last bit is out. */
static void transmit(void)
{
    RCC->AHB1ENR |= RCC_AHB1ENR_DMA1EN;
    (void)RCC->AHB1ENR;
    DMA1->CSELR = (DMA1->CSELR & ~DMA_NAME(DMA_CSELR_C, CONSOLE_DMA_CHANNEL, S_MASK)) | DMA_NAME(DMA_CSELR_C, CONSOLE_DMA_CHANNEL, S)(CONSOLE_DMA_REQUEST);
    DMA1->IFCR = DMA_NAME(DMA_IFCR_CGIF, CONSOLE_DMA_CHANNEL, );
    DMA1->DMA_NAME(CPAR, CONSOLE_DMA_CHANNEL, ) = (uint32_t)(uintptr_t)&CONSOLE_UART->TDR;
    DMA1->DMA_NAME(CMAR, CONSOLE_DMA_CHANNEL, ) = (uint32_t)(uintptr_t)record.text;
    DMA1->DMA_NAME(CNDTR, CONSOLE_DMA_CHANNEL, ) = record.length;
    data_barrier(); /* the text is in memory */
    DMA1->DMA_NAME(CCR, CONSOLE_DMA_CHANNEL, ) = DMA_NAME(DMA_CCR, CONSOLE_DMA_CHANNEL, _DIR) | DMA_NAME(DMA_CCR, CONSOLE_DMA_CHANNEL, _MINC) | DMA_NAME(DMA_CCR, CONSOLE_DMA_CHANNEL, _EN);
    CONSOLE_UART->ICR = USART_ICR_TCCF;
    while (DMA1->DMA_NAME(CNDTR, CONSOLE_DMA_CHANNEL, ) == record.length) { /* with its first byte the USART is no longer done */
    }
    uint32_t masked = interrupts_save();
    CONSOLE_UART->CR1 |= USART_CR1_TCIE;
    interrupts_restore(masked);
    (void)power_sleep_until(EVENT_SENT);
    DMA1->DMA_NAME(CCR, CONSOLE_DMA_CHANNEL, ) = 0;
    RCC->AHB1ENR &= ~RCC_AHB1ENR_DMA1EN;
}

void console_send(void)
{
    record_end(&record);
    if (!listening) {
        usart_on();
    }
    transmit();
    if (!listening) {
        usart_off();
    }
}

void console_listen(bool listen)
{
    if (listen) {
        EXTI->IMR1 &= ~EXTI_LINE_RECEIVE;
        (void)event_take(EVENT_CONSOLE_EDGE | EVENT_RECEIVED);
        ring_read = ring_written;
        damage = ERROR_NONE;
        usart_on();
        CONSOLE_UART->CR1 |= USART_CR1_RE | USART_CR1_RXNEIE;
        while ((CONSOLE_UART->ISR & USART_ISR_REACK) == 0u) {
        }
    } else {
        usart_off();
        (void)event_take(EVENT_RECEIVED);
        console_arm();
    }
    listening = listen;
}

bool console_read(char *character)
{
    if (ring_read == ring_written) {
        return false;
    }
    *character = ring[ring_read % RING_CAPACITY];
    ring_read++;
    return true;
}

error_t console_damage(void)
{
    uint32_t masked = interrupts_save();
    error_t error = damage;
    damage = ERROR_NONE;
    interrupts_restore(masked);
    return error;
}
