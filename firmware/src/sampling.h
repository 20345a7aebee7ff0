/* SPDX-License-Identifier: Apache-2.0 */
/* One window of the sensor's signal. sampling_adc.c: an analog sensor on ADC1, which TIM6 triggers and DMA1 empties while
 * the core sleeps at 200 kHz on the low-power regulator. sampling_lsm6dsl.c: an accelerometer with a FIFO, on I2C1. */
#ifndef HIL_SAMPLING_H
#define HIL_SAMPLING_H

#include <stdint.h>

#include "protocol.h"

/* Fills `samples` with `count` 12-bit codes at SAMPLE_RATE_HZ. Call on the idle clock.
 * Leaves what it used off. ERROR_NONE, ERROR_SAMPLING or ERROR_SENSOR. */
error_t sampling_run(uint16_t *samples, uint32_t count);

#endif
