/* SPDX-License-Identifier: Apache-2.0 */
/* The board: which pins are in use, boards/NAME.h says, of which the build takes one as board_pins.h.
 *
 * Every other pin is analog: a floating digital input would leak through its Schmitt trigger (DS10198 Rev 8,
 * I/O system current consumption). */
#ifndef HIL_BOARD_H
#define HIL_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "board_pins.h"

/* All pins to their idle state. Call once, first. */
void board_init(void);

/* No peripheral is clocked while the core sleeps. */
void board_sleep_clocks_off(void);

void board_marker_active(bool level);
void board_marker_inference(bool level);

/* Closes the analog switch between the sensor's pin and the ADC, which the L47x have of their own (GPIOx_ASCR). */
void board_sensor_pin(bool connected);

/* Connects the accelerometer's pins to its bus, or parks them. */
void board_bus_pins(bool connected);

/* Lets a rising edge of the accelerometer's interrupt give EVENT_SENSOR, also in Stop 2. */
void board_sensor_interrupt(bool on);

typedef enum {
    BOARD_CONSOLE_PARKED, /* both analog */
    BOARD_CONSOLE_ASLEEP, /* the receive pin is an input, which an edge wakes the part by; the other analog */
    BOARD_CONSOLE_AWAKE,  /* both on the UART */
} board_console_t;

void board_console_pins(board_console_t use);

/* Which port's pin an EXTI line listens to, by its code in SYSCFG_EXTICR. */
void board_edge_source(unsigned pin, uint32_t port);

#endif
