/* SPDX-License-Identifier: Apache-2.0 */
/* The interrupt handlers this firmware implements; startup.c places them in the vector table. */
#ifndef HIL_HANDLERS_H
#define HIL_HANDLERS_H

void SysTick_Handler(void);          /* timeout.c */
void TAMP_STAMP_IRQHandler(void);    /* rtc.c */
void RTC_WKUP_IRQHandler(void);      /* rtc.c */
void RCC_IRQHandler(void);           /* rtc.c */
void EXTI3_IRQHandler(void);         /* console.c */
void USART2_IRQHandler(void);        /* console.c */
void DMA1_Channel1_IRQHandler(void); /* sampling_adc.c */
void ADC1_2_IRQHandler(void);       /* sampling_adc.c */

/* With the accelerometer: */
void EXTI9_5_IRQHandler(void);       /* board.c */
void I2C1_EV_IRQHandler(void);       /* i2c.c */

#endif
