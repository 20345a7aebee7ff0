/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the stock debuggers look at: nested calls, a sleep of ten seconds, a fault, RTT.
 * Which of them it does is chosen through PA0 and PA1, read once after reset. */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define RCC_AHB2ENR REGISTER(0x4002104C)
#define RCC_APB1ENR1 REGISTER(0x40021058)
#define RCC_BDCR REGISTER(0x40021090)
#define RCC_CSR REGISTER(0x40021094)
#define PWR_CR1 REGISTER(0x40007000)
#define RTC_CR REGISTER(0x40002808)
#define RTC_ISR REGISTER(0x4000280C)
#define RTC_WUTR REGISTER(0x40002814)
#define RTC_WPR REGISTER(0x40002824)
#define EXTI_IMR1 REGISTER(0x40010400)
#define EXTI_RTSR1 REGISTER(0x40010408)
#define EXTI_PR1 REGISTER(0x40010414)
#define GPIOA_MODER REGISTER(0x48000000)
#define GPIOA_IDR REGISTER(0x48000010)
#define NVIC_ISER0 REGISTER(0xE000E100)
#define SCB_SCR REGISTER(0xE000ED10)

#define RTC_WAKEUP_LINE (1u << 20)
#define IRQ_RTC_WKUP 3

extern uint32_t stack_top[], bss_start[], bss_end[];

/* SEGGER's published layout of an RTT control block, with one channel each way. */
struct rtt_ring {
    const char *name;
    char *buffer;
    uint32_t size;
    volatile uint32_t written;
    volatile uint32_t read;
    uint32_t flags;
};

static struct {
    char id[16];
    int32_t up_count;
    int32_t down_count;
    struct rtt_ring up;
    struct rtt_ring down;
} rtt;
static char rtt_up_buffer[64], rtt_down_buffer[16];

volatile uint32_t counter, total, awake_after, shouted;

_Noreturn void Reset_Handler(void);
void RTC_Handler(void);
_Noreturn void Fault_Handler(void);

__attribute__((section(".vectors"), used)) static void (*const vectors[32])(void) = {
    [0] = (void (*)(void))(uintptr_t)stack_top,
    [1] = Reset_Handler,
    [2] = Fault_Handler,
    [3] = Fault_Handler,
    [16 + IRQ_RTC_WKUP] = RTC_Handler,
};

__attribute__((noinline)) uint32_t square(uint32_t side)
{
    uint32_t area = side * side;
    return area;
}

__attribute__((noinline)) uint32_t sum_of_squares(uint32_t first, uint32_t second)
{
    uint32_t of_first = square(first);
    uint32_t of_second = square(second);
    return of_first + of_second;
}

static void rtt_put(char character)
{
    rtt_up_buffer[rtt.up.written] = character;
    rtt.up.written = (rtt.up.written + 1) % sizeof rtt_up_buffer;
}

/* Answers in capitals what comes down. */
static void rtt_serve(void)
{
    while (rtt.down.read != rtt.down.written) {
        char character = rtt_down_buffer[rtt.down.read];
        rtt.down.read = (rtt.down.read + 1) % sizeof rtt_down_buffer;
        rtt_put(character >= 'a' && character <= 'z' ? (char)(character - 'a' + 'A') : character);
        ++shouted;
    }
}

static void rtt_start(void)
{
    static const char id[] = "SEGGER RTT", greeting[] = "hello from the part\n";
    rtt.up_count = rtt.down_count = 1;
    rtt.up = (struct rtt_ring){"Terminal", rtt_up_buffer, sizeof rtt_up_buffer, 0, 0, 0};
    rtt.down = (struct rtt_ring){"Terminal", rtt_down_buffer, sizeof rtt_down_buffer, 0, 0, 0};
    for (uint32_t i = 0; greeting[i] != '\0'; ++i) {
        rtt_put(greeting[i]);
    }
    for (uint32_t i = 0; i < sizeof id; ++i) {
        rtt.id[i] = id[i];
    }
}

void RTC_Handler(void)
{
    RTC_ISR = ~(1u << 10) & ~(1u << 7);
    EXTI_PR1 = RTC_WAKEUP_LINE;
}

/* After the sleep: where a breakpoint waits. */
__attribute__((noinline)) void woke_up(void)
{
    awake_after = counter;
}

static void stop2(void)
{
    RCC_APB1ENR1 |= 1u << 28;
    (void)RCC_APB1ENR1;
    PWR_CR1 = (PWR_CR1 & ~7u) | 2u;
    SCB_SCR |= 1u << 2;
    __asm volatile("dsb\n wfi\n isb");
    SCB_SCR &= ~(1u << 2);
}

/* Stop 2 for ten ticks of LSI / 16 / 2 ^ 15, the calendar's second at this part's LSI. */
__attribute__((noinline)) void sleep_ten_seconds(void)
{
    RCC_APB1ENR1 |= 1u << 28;
    (void)RCC_APB1ENR1;
    PWR_CR1 |= 1u << 8;
    RCC_CSR |= 1u;
    while ((RCC_CSR & 2u) == 0) {
    }
    RCC_BDCR = (RCC_BDCR & ~(3u << 8)) | 2u << 8 | 1u << 15;
    RTC_WPR = 0xCA;
    RTC_WPR = 0x53;
    RTC_CR = 0;
    while ((RTC_ISR & (1u << 2)) == 0) {
    }
    RTC_WUTR = 20000 - 1; /* at 2 kHz */
    EXTI_IMR1 |= RTC_WAKEUP_LINE;
    EXTI_RTSR1 |= RTC_WAKEUP_LINE;
    NVIC_ISER0 = 1u << IRQ_RTC_WKUP;
    RTC_CR = 1u << 10 | 1u << 14;
    stop2();
    woke_up();
}

__attribute__((noinline)) void fall_into_a_fault(uint32_t address)
{
    *(volatile uint32_t *)address = 1;
}

_Noreturn void Fault_Handler(void)
{
    for (;;) {
    }
}

__attribute__((noinline)) void work(void)
{
    ++counter;
    total = sum_of_squares(counter, 2);
    rtt_serve();
}

_Noreturn void Reset_Handler(void)
{
    for (uint32_t *word = bss_start; word != bss_end; ++word) {
        *word = 0;
    }
    RCC_AHB2ENR |= 1u;
    (void)RCC_AHB2ENR;
    GPIOA_MODER &= ~0xFu;
    uint32_t choice = GPIOA_IDR & 3u;
    rtt_start();
    if (choice == 1) {
        for (;;) {
            stop2();
        }
    }
    if (choice == 2) {
        sleep_ten_seconds();
    }
    if (choice == 3) {
        fall_into_a_fault(0x60000000);
    }
    for (;;) {
        work();
    }
}
