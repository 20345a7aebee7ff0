/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include "hil_mailbox.h"

#define WAKEUP_TICKS 2000u /* of RTCCLK / 16: a second on the LSI, 32 kHz */

static int8_t input[NETWORK_INPUTS];
static int8_t output[NETWORK_OUTPUTS];

static uint32_t run(uint32_t command, void *context)
{
    (void)context;
    return command == HIL_MAILBOX_INFER ? Network_Run(input, output) : HIL_MAILBOX_UNKNOWN;
}

static void MX_Mailbox_Init(void)
{
    static const hil_mailbox_door_t door = {
        .input = {input, sizeof input, HIL_MAILBOX_INT8},
        .output = {output, sizeof output, HIL_MAILBOX_INT8},
        .run = run,
    };
    if (hil_mailbox_open(&door)) {
        hil_mailbox_serve(&door);
    }
}

static void MX_RTC_Init(void)
{
    RCC_APB1ENR1 |= (1u << 28) | (1u << 10); /* PWREN, RTCAPBEN */
    (void)RCC_APB1ENR1;
    PWR_CR1 |= 1u << 8; /* DBP */
    RCC_CSR |= 1u;      /* LSION */
    while ((RCC_CSR & 2u) == 0u) {
    }
    RCC_BDCR |= (2u << 8) | (1u << 15); /* RTCSEL: LSI, RTCEN */
    RTC_WPR = 0xCAu;
    RTC_WPR = 0x53u;
    RTC_CR &= ~(1u << 10); /* WUTE */
    while ((RTC_ISR & 4u) == 0u) {
    }
    RTC_WUTR = WAKEUP_TICKS - 1u;
    RTC_CR |= (1u << 14) | (1u << 10); /* WUTIE, WUTE */
    EXTI_IMR1 |= RTC_WAKEUP_LINE;
    EXTI_RTSR1 |= RTC_WAKEUP_LINE;
    NVIC_ISER0 = 1u << 3;
}

static void HAL_PWREx_EnterSTOP2Mode(void)
{
    PWR_CR1 = (PWR_CR1 & ~7u) | 2u;
    SCB_SCR |= 1u << 2;
    __asm volatile("dsb\n\twfi" ::: "memory");
    SCB_SCR &= ~(1u << 2);
}

int main(void)
{
    MX_Mailbox_Init();
    MX_RTC_Init();
    for (uint32_t wake = 0;; wake++) {
        hil_mailbox_mark(wake);
        for (uint32_t i = 0; i < NETWORK_INPUTS; i++) {
            input[i] = (int8_t)(wake + i);
        }
        for (uint32_t inference = 0; inference < 4u; inference++) { /* awake for some milliseconds */
            if (Network_Run(input, output) != 0u) {
                Error_Handler();
            }
        }
        HAL_PWREx_EnterSTOP2Mode();
    }
}

void Error_Handler(void)
{
    for (;;) {
    }
}
