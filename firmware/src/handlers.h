/* SPDX-License-Identifier: Apache-2.0 */
/* The interrupt handlers this firmware implements; startup.c places them in the vector table. */
#ifndef HIL_HANDLERS_H
#define HIL_HANDLERS_H

void SysTick_Handler(void);          /* timeout.c */
void TAMP_STAMP_IRQHandler(void);    /* rtc.c */
void RTC_WKUP_IRQHandler(void);      /* rtc.c */
void RCC_IRQHandler(void);           /* rtc.c */
void console_edge_interrupt(void);   /* console.c */
void console_interrupt(void);        /* console.c */
void DMA1_Channel1_IRQHandler(void); /* sampling_adc.c */
void ADC1_2_IRQHandler(void);       /* sampling_adc.c */

/* With the accelerometer: */
void sensor_edge_interrupt(void);    /* board.c */
void bus_interrupt(void);            /* i2c.c */

#endif
