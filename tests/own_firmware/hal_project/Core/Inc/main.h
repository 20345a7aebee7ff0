/* SPDX-License-Identifier: Apache-2.0 */
/* The application, and the registers that it needs (RM0351). */
#ifndef MAIN_H
#define MAIN_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define RCC_APB1ENR1 REGISTER(0x40021058u)
#define RCC_BDCR REGISTER(0x40021090u)
#define RCC_CSR REGISTER(0x40021094u)
#define PWR_CR1 REGISTER(0x40007000u)
#define RTC_CR REGISTER(0x40002808u)
#define RTC_ISR REGISTER(0x4000280Cu)
#define RTC_WUTR REGISTER(0x40002814u)
#define RTC_WPR REGISTER(0x40002824u)
#define EXTI_IMR1 REGISTER(0x40010400u)
#define EXTI_RTSR1 REGISTER(0x40010408u)
#define EXTI_PR1 REGISTER(0x40010414u)
#define NVIC_ISER0 REGISTER(0xE000E100u)
#define SCB_SCR REGISTER(0xE000ED10u)
#define SCB_CPACR REGISTER(0xE000ED88u)

#define RTC_WAKEUP_LINE (1u << 20)

_Noreturn void Error_Handler(void);

/* network.c */
#define NETWORK_INPUTS 32u
#define NETWORK_OUTPUTS 32u
uint32_t Network_Run(const int8_t *input, int8_t *output);

#endif
