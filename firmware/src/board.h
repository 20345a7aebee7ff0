/* SPDX-License-Identifier: Apache-2.0 */
/* NUCLEO-L476RG (MB1136): the pins in use. Arduino names as in UM1724 Rev 14, table 23.
 *
 *   PA0  A0   sensor, ADC1_IN5
 *   PA2  -    USART2_TX to the ST-LINK's virtual COM port (AF7)
 *   PA8  D7   marker_inference: high during the network's invocation
 *   PB10 D6   marker_active: high from wake-up to Stop 2 entry
 *   PA13, PA14  SWD, left as reset leaves them
 *
 * Every other pin is analog: a floating digital input would leak through its Schmitt trigger (DS10198 Rev 8,
 * I/O system current consumption). PA3 (USART2_RX) stays analog as well: the firmware takes no input there. */
#ifndef HIL_BOARD_H
#define HIL_BOARD_H

#include <stdbool.h>

#define BOARD_SENSOR_PIN 0u /* of GPIOA */
#define BOARD_SENSOR_ADC_CHANNEL 5u

/* All pins to their idle state. Call once, first. */
void board_init(void);

void board_marker_active(bool level);
void board_marker_inference(bool level);

/* Closes the analog switch between PA0 and the ADC, which the L476 has of its own (GPIOx_ASCR). */
void board_sensor_pin(bool connected);

/* Connects PA2 to USART2, or parks it analog. */
void board_console_pin(bool connected);

#endif
