/* SPDX-License-Identifier: Apache-2.0 */
/* The STM32L476 registers and bits that the traps use, written by hand from the reference manual RM0351: the generated
 * ones of the firmware are compared with it (tests/firmware/test_registers.py).
 * Addresses: memory map of DS10198 Rev 8, table 19. */
#ifndef TRAPS_STM32L476_H
#define TRAPS_STM32L476_H

#include <stddef.h>
#include <stdint.h>

typedef volatile uint32_t reg32_t;

/* Interrupt positions in the vector table (RM0351, vector table). */
enum {
    IRQ_RTC_WKUP = 3,
    IRQ_RCC = 5,
    IRQ_DMA1_CHANNEL1 = 11,
    IRQ_ADC1_2 = 18,
    IRQ_COUNT = 82,
};

/* --- RCC: clocks and reset --- */
typedef struct {
    reg32_t CR, ICSCR, CFGR, PLLCFGR, PLLSAI1CFGR, PLLSAI2CFGR;
    reg32_t CIER, CIFR, CICR, reserved_24;
    reg32_t AHB1RSTR, AHB2RSTR, AHB3RSTR, reserved_34;
    reg32_t APB1RSTR1, APB1RSTR2, APB2RSTR, reserved_44;
    reg32_t AHB1ENR, AHB2ENR, AHB3ENR, reserved_54;
    reg32_t APB1ENR1, APB1ENR2, APB2ENR, reserved_64;
    reg32_t AHB1SMENR, AHB2SMENR, AHB3SMENR, reserved_74;
    reg32_t APB1SMENR1, APB1SMENR2, APB2SMENR, reserved_84;
    reg32_t CCIPR, reserved_8c, BDCR, CSR;
} rcc_t;
#define RCC ((rcc_t *)0x40021000u)

#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_CFGR_SW_MASK (3u << 0)
#define RCC_CFGR_SW_MSI (0u << 0)
#define RCC_CFGR_SW_PLL (3u << 0)
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_MSI (0u << 2)
#define RCC_CFGR_SWS_PLL (3u << 2)
#define RCC_PLLCFGR_PLLSRC_MSI (1u << 0)
#define RCC_PLLCFGR_PLLM(divider) (((divider) - 1u) << 4)
#define RCC_PLLCFGR_PLLN(factor) ((factor) << 8)
#define RCC_PLLCFGR_PLLREN (1u << 24)
#define RCC_PLLCFGR_PLLR(divider) (((divider) / 2u - 1u) << 25)
#define RCC_CIER_LSERDYIE (1u << 1)
#define RCC_CICR_LSERDYC (1u << 1)
#define RCC_AHB1ENR_DMA1EN (1u << 0)
#define RCC_AHB2ENR_GPIOAEN (1u << 0)
#define RCC_AHB2ENR_GPIOBEN (1u << 1)
#define RCC_AHB2ENR_ADCEN (1u << 13)
#define RCC_APB1ENR1_TIM6EN (1u << 4)
#define RCC_APB1ENR1_USART2EN (1u << 17)
#define RCC_APB1ENR1_PWREN (1u << 28)
#define RCC_BDCR_LSEON (1u << 0)
#define RCC_BDCR_LSERDY (1u << 1)
#define RCC_BDCR_LSEDRV_MASK (3u << 3)
#define RCC_BDCR_RTCSEL_MASK (3u << 8)
#define RCC_BDCR_RTCSEL_LSE (1u << 8)
#define RCC_BDCR_RTCEN (1u << 15)
#define RCC_BDCR_BDRST (1u << 16)
#define RCC_CSR_RMVF (1u << 23)
#define RCC_CSR_FLAGS_POS 24u /* FWRSTF, OBLRSTF, PINRSTF, BORRSTF, SFTRSTF, IWDGRSTF, WWDGRSTF, LPWRRSTF */

/* --- PWR: voltage ranges and low-power modes --- */
typedef struct {
    reg32_t CR1, CR2, CR3, CR4, SR1, SR2, SCR;
} pwr_t;
#define PWR ((pwr_t *)0x40007000u)

#define PWR_CR1_LPMS_MASK (7u << 0)
#define PWR_CR1_LPMS_STOP2 (2u << 0)
#define PWR_CR1_DBP (1u << 8)
#define PWR_CR1_VOS_MASK (3u << 9)
#define PWR_CR1_VOS_RANGE1 (1u << 9)
#define PWR_CR1_VOS_RANGE2 (2u << 9)
#define PWR_CR1_LPR (1u << 14)
#define PWR_SR2_REGLPF (1u << 9)
#define PWR_SR2_VOSF (1u << 10)

/* --- FLASH: wait states --- */
typedef struct {
    reg32_t ACR;
} flash_t;
#define FLASH ((flash_t *)0x40022000u)

#define FLASH_ACR_LATENCY_MASK (7u << 0)

/* --- GPIO --- */
typedef struct {
    reg32_t MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFR[2], BRR, ASCR;
} gpio_t;
#define GPIOA ((gpio_t *)0x48000000u)
#define GPIOB ((gpio_t *)0x48000400u)

enum { GPIO_MODE_OUTPUT = 1, GPIO_MODE_ALTERNATE = 2, GPIO_MODE_ANALOG = 3 };

/* --- EXTI: wake-up lines --- */
typedef struct {
    reg32_t IMR1, EMR1, RTSR1, FTSR1, SWIER1, PR1;
} exti_t;
#define EXTI ((exti_t *)0x40010400u)

#define EXTI_LINE_RTC_WAKEUP (1u << 20)

/* --- RTC: wake-up timer and backup registers --- */
typedef struct {
    reg32_t TR, DR, CR, ISR, PRER, WUTR, reserved_18, ALRMAR, ALRMBR, WPR, SSR, SHIFTR, TSTR, TSDR, TSSSR;
    reg32_t CALR, TAMPCR, ALRMASSR, ALRMBSSR, OR;
    reg32_t BKPR[32];
} rtc_t;
#define RTC ((rtc_t *)0x40002800u)

#define RTC_CR_WUCKSEL_MASK (7u << 0)
#define RTC_CR_WUCKSEL_DIV16 (0u << 0)
#define RTC_CR_WUTE (1u << 10)
#define RTC_CR_WUTIE (1u << 14)
#define RTC_ISR_WUTWF (1u << 2)
#define RTC_ISR_INIT (1u << 7)
#define RTC_ISR_WUTF (1u << 10)
#define RTC_WPR_KEY1 0xCAu
#define RTC_WPR_KEY2 0x53u
#define RTC_WPR_LOCK 0xFFu

/* --- ADC1 --- */
typedef struct {
    reg32_t ISR, IER, CR, CFGR, CFGR2, SMPR1, SMPR2, reserved_1c, TR1, TR2, TR3, reserved_2c;
    reg32_t SQR1, SQR2, SQR3, SQR4, DR;
} adc_t;
#define ADC1 ((adc_t *)0x50040000u)

typedef struct {
    reg32_t CSR, reserved_04, CCR;
} adc_common_t;
#define ADC123_COMMON ((adc_common_t *)0x50040300u)

#define ADC_ISR_ADRDY (1u << 0)
#define ADC_ISR_OVR (1u << 4)
#define ADC_IER_OVRIE (1u << 4)
#define ADC_CR_ADEN (1u << 0)
#define ADC_CR_ADDIS (1u << 1)
#define ADC_CR_ADSTART (1u << 2)
#define ADC_CR_ADSTP (1u << 4)
#define ADC_CR_ADVREGEN (1u << 28)
#define ADC_CR_DEEPPWD (1u << 29)
#define ADC_CR_ADCAL (1u << 31)
#define ADC_CFGR_DMAEN (1u << 0)
#define ADC_CFGR_EXTSEL_TIM6_TRGO (13u << 6)
#define ADC_CFGR_EXTEN_RISING (1u << 10)
#define ADC_SMPR1_SMP5_24_5_CYCLES (3u << 15)
#define ADC_SQR1_SQ1(channel) ((channel) << 6)
#define ADC_CCR_CKMODE_HCLK (1u << 16)

/* --- DMA1 channel 1 --- */
typedef struct {
    reg32_t ISR, IFCR;
    reg32_t CCR1, CNDTR1, CPAR1, CMAR1;
    reg32_t reserved_18[36];
    reg32_t CSELR;
} dma_t;
#define DMA1 ((dma_t *)0x40020000u)

#define DMA_ISR_TCIF1 (1u << 1)
#define DMA_ISR_TEIF1 (1u << 3)
#define DMA_IFCR_CGIF1 (1u << 0)
#define DMA_CCR_EN (1u << 0)
#define DMA_CCR_TCIE (1u << 1)
#define DMA_CCR_TEIE (1u << 3)
#define DMA_CCR_MINC (1u << 7)
#define DMA_CCR_PSIZE_16 (1u << 8)
#define DMA_CCR_MSIZE_16 (1u << 10)
#define DMA_CSELR_C1S_MASK (15u << 0) /* request 0 of channel 1 is ADC1 */

/* --- TIM6 --- */
typedef struct {
    reg32_t CR1, CR2, reserved_08, DIER, SR, EGR, reserved_18, reserved_1c, reserved_20, CNT, PSC, ARR;
} tim_t;
#define TIM6 ((tim_t *)0x40001000u)

#define TIM_CR1_CEN (1u << 0)
#define TIM_CR2_MMS_UPDATE (2u << 4)

/* --- USART2 --- */
typedef struct {
    reg32_t CR1, CR2, CR3, BRR, GTPR, RTOR, RQR, ISR, ICR, RDR, TDR;
} usart_t;
#define USART2 ((usart_t *)0x40004400u)

#define USART_CR1_UE (1u << 0)
#define USART_CR1_TE (1u << 3)
#define USART_ISR_TC (1u << 6)
#define USART_ISR_TXE (1u << 7)
#define USART_ISR_TEACK (1u << 21)

/* --- DBGMCU --- */
typedef struct {
    reg32_t IDCODE, CR;
} dbgmcu_t;
#define DBGMCU ((dbgmcu_t *)0xE0042000u)

#define DBGMCU_CR_SLEEP_STOP_STANDBY 7u

_Static_assert(offsetof(rcc_t, CSR) == 0x94, "RCC layout");
_Static_assert(offsetof(gpio_t, ASCR) == 0x2C, "GPIO layout");
_Static_assert(offsetof(rtc_t, BKPR) == 0x50, "RTC layout");
_Static_assert(offsetof(adc_t, DR) == 0x40, "ADC layout");
_Static_assert(offsetof(dma_t, CSELR) == 0xA8, "DMA layout");
_Static_assert(offsetof(tim_t, ARR) == 0x2C, "TIM layout");
_Static_assert(offsetof(usart_t, TDR) == 0x28, "USART layout");

#endif
