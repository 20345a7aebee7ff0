/* SPDX-License-Identifier: Apache-2.0 */
/* One window of the sensor's signal: TIM6 triggers ADC1, DMA1 stores, the core sleeps at 200 kHz on the low-power regulator. */
#ifndef HIL_SAMPLING_H
#define HIL_SAMPLING_H

#include <stdint.h>

#include "errors.h"

/* Fills `samples` with `count` 12-bit codes at SAMPLE_RATE_HZ. Call on the idle clock.
 * Leaves the ADC in deep power-down and the clocks of ADC, DMA and timer off. ERROR_NONE or ERROR_SAMPLING. */
error_t sampling_run(uint16_t *samples, uint32_t count);

/* One conversion of the internal reference against VDDA, averaged; on the idle clock. */
uint32_t sampling_convert_reference(void);

#endif
