/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include "board.h"
#include "config.h"
#include "cortex_m4.h"
#include "events.h"
#include "handlers.h"
#include "mutant.h"
#include "power.h"
#include "registers.h"

/* Codes of RM0351: RCC_CCIPR.USART2SEL, DMA_CSELR.C7S (USART2_TX). */
enum { KERNEL_CLOCK_HSI16 = 2, REQUEST_USART2_TX = 2 };

#define EXTI_LINE_RECEIVE (1u << 3) /* PA3; port A is what SYSCFG_EXTICR1 selects after reset */
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
    char character = (char)(USART2->RDR & 0xFFu);
    if (ring_written - ring_read == RING_CAPACITY) {
        damage = ERROR_COMMAND_OVERRUN;
    } else {
        ring[ring_written % RING_CAPACITY] = character;
        ring_written++;
    }
    event_set(EVENT_RECEIVED);
}

void USART2_IRQHandler(void)
{
    uint32_t flags = USART2->ISR;
    if ((flags & USART_ISR_RXNE) != 0u) {
        receive();
    }
    if ((flags & (USART_ISR_FE | USART_ISR_NF)) != 0u) {
        USART2->ICR = USART_ICR_FECF | USART_ICR_NCF;
        damage = ERROR_COMMAND_CORRUPT;
    }
    if ((flags & USART_ISR_ORE) != 0u) {
        USART2->ICR = USART_ICR_ORECF;
        damage = ERROR_COMMAND_OVERRUN;
    }
    if ((flags & USART_ISR_TC) != 0u && (USART2->CR1 & USART_CR1_TCIE) != 0u) {
        USART2->CR1 &= ~USART_CR1_TCIE;
        event_set(EVENT_SENT);
    }
}

void EXTI3_IRQHandler(void)
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
    EXTI->FTSR1 |= EXTI_LINE_RECEIVE;
    nvic_enable(IRQ_EXTI3);
    nvic_enable(IRQ_USART2);
    console_arm();
}

static void usart_on(void)
{
    RCC->CR |= RCC_CR_HSION;
    while ((RCC->CR & RCC_CR_HSIRDY) == 0u) {
    }
    RCC->CCIPR = (RCC->CCIPR & ~RCC_CCIPR_USART2SEL_MASK) | RCC_CCIPR_USART2SEL(KERNEL_CLOCK_HSI16);
    RCC->APB1ENR1 |= RCC_APB1ENR1_USART2EN;
    (void)RCC->APB1ENR1;
    USART2->BRR = BAUD_DIVIDER;
    USART2->CR3 = USART_CR3_DMAT | USART_CR3_EIE;
    USART2->CR1 = USART_CR1_UE | USART_CR1_TE;
    while ((USART2->ISR & USART_ISR_TEACK) == 0u) {
    }
    board_console_pins(BOARD_CONSOLE_AWAKE); /* the line idles high from here: no glitch that reads as a start bit */
}

static void usart_off(void)
{
    board_console_pins(BOARD_CONSOLE_ASLEEP);
    USART2->CR1 = 0;
    RCC->APB1ENR1 &= ~RCC_APB1ENR1_USART2EN;
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
    DMA1->CSELR = (DMA1->CSELR & ~DMA_CSELR_C7S_MASK) | DMA_CSELR_C7S(REQUEST_USART2_TX);
    DMA1->IFCR = DMA_IFCR_CGIF7;
    DMA1->CPAR7 = (uint32_t)(uintptr_t)&USART2->TDR;
    DMA1->CMAR7 = (uint32_t)(uintptr_t)record.text;
    DMA1->CNDTR7 = record.length;
    data_barrier(); /* the text is in memory */
    DMA1->CCR7 = DMA_CCR7_DIR | DMA_CCR7_MINC | DMA_CCR7_EN;
    USART2->ICR = USART_ICR_TCCF;
    while (DMA1->CNDTR7 == record.length) { /* with its first byte the USART is no longer done */
    }
    uint32_t masked = interrupts_save();
    USART2->CR1 |= USART_CR1_TCIE;
    interrupts_restore(masked);
    (void)power_sleep_until(EVENT_SENT);
    DMA1->CCR7 = 0;
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
        USART2->CR1 |= USART_CR1_RE | USART_CR1_RXNEIE;
        while ((USART2->ISR & USART_ISR_REACK) == 0u) {
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
