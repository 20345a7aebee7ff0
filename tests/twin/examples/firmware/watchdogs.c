/* SPDX-License-Identifier: Apache-2.0 */
/* First IWDG, then WWDG is fed for a while and then left to bite; the next start says which one did. */
#include "example.h"

int example(void)
{
    pins_to_analog();
    uint32_t cause = RCC->CSR >> RCC_CSR_FLAGS_POS;
    SET_BIT(RCC->CSR, RCC_CSR_RMVF);
    power_clock();
    SET_BIT(PWR->CR1, PWR_CR1_DBP);
    if ((RCC->BDCR & RCC_BDCR_RTCEN) == 0u) {
        SET_BIT(RCC->CSR, RCC_CSR_LSION);
        RCC->BDCR = (2u << 8) | RCC_BDCR_RTCEN;
        RTC->BKPR[0] = 0;
    }
    RTC->BKPR[0] += 1u;
    uint32_t start = RTC->BKPR[0];
    RTC->BKPR[start] = cause;
    tick_start(4000000u);
    if (start == 1u) {
        REG(0x40003000u) = 0xCCCCu;
        REG(0x40003000u) = 0x5555u;
        REG(0x40003004u) = 0; /* 8 kHz */
        REG(0x40003008u) = 80u; /* 10 ms */
        for (uint32_t fed = 0; fed < 10u; fed++) {
            delay_ms(5);
            REG(0x40003000u) = 0xAAAAu;
        }
    } else if (start == 2u) {
        SET_BIT(RCC->APB1ENR1, 1u << 11);
        REG(0x40002C04u) = 0x7Fu;
        REG(0x40002C00u) = 0xFFu;
        for (uint32_t fed = 0; fed < 5u; fed++) {
            delay_ms(20);
            REG(0x40002C00u) = 0xFFu;
        }
    } else {
        tick_stop();
        RESULT[STEP] = 3;
        wait_for_interrupt();
    }
    for (;;) {
    }
}
