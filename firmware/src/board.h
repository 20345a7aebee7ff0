/* SPDX-License-Identifier: Apache-2.0 */
/* NUCLEO-L476RG (MB1136): the pins in use. Arduino names as in UM1724 Rev 14, table 23.
 *
 *   PA0  A0   sensor, ADC1_IN5
 *   PA2  -    USART2_TX to the ST-LINK's virtual COM port (AF7)
 *   PA3  -    USART2_RX from it, with the pull-up: high also where the line is open, as a driven idle line is
 *   PA8  D7   marker_inference: high during the network's invocation
 *   PB10 D6   marker_active: high from wake-up to Stop 2 entry
 *   PB5  D4   INT1 of the accelerometer, where the build has one
 *   PB8  D15  I2C1_SCL to it (AF4), PB9 D14 I2C1_SDA
 *   PA13, PA14  SWD, left as reset leaves them
 *
 * Every other pin is analog: a floating digital input would leak through its Schmitt trigger (DS10198 Rev 8,
 * I/O system current consumption). */
#ifndef HIL_BOARD_H
#define HIL_BOARD_H

#include <stdbool.h>

#define BOARD_SENSOR_PIN 0u /* of GPIOA */
#define BOARD_SENSOR_ADC_CHANNEL 5u

/* All pins to their idle state. Call once, first. */
void board_init(void);

/* No peripheral is clocked while the core sleeps. */
void board_sleep_clocks_off(void);

void board_marker_active(bool level);
void board_marker_inference(bool level);

/* Closes the analog switch between PA0 and the ADC, which the L476 has of its own (GPIOx_ASCR). */
void board_sensor_pin(bool connected);

/* Connects PB8 and PB9 to I2C1, or parks them. */
void board_bus_pins(bool connected);

/* Lets a rising edge on PB5 give EVENT_SENSOR, also in Stop 2. */
void board_sensor_interrupt(bool on);

typedef enum {
    BOARD_CONSOLE_PARKED, /* both analog */
    BOARD_CONSOLE_ASLEEP, /* PA3 is an input, which an edge wakes the part by; PA2 analog */
    BOARD_CONSOLE_AWAKE,  /* both on USART2 */
} board_console_t;

void board_console_pins(board_console_t use);

#endif
