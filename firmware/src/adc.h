/* SPDX-License-Identifier: Apache-2.0 */
/* ADC1, off but for its users: it leaves nothing on that would draw on in Stop. On the idle clock. */
#ifndef HIL_ADC_H
#define HIL_ADC_H

#include <stdint.h>

/* Out of deep power-down and calibrated; `internal_channels` are bits of ADCx_CCR. Then configure, then adc_enable(). */
void adc_calibrate(uint32_t internal_channels);
void adc_enable(void);
void adc_off(void);

/* One conversion of the internal reference against VDDA, averaged. */
uint32_t adc_convert_reference(void);

#endif
