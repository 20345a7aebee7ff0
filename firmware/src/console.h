/* SPDX-License-Identifier: Apache-2.0 */
/* The console on the board's UART (115200 8N1): records out, command lines in. docs/console_protocol.md.
 *
 * The USART's clock is HSI16, so that bytes are right on every clock of the core; it runs only while the console sends
 * or listens, the core sleeping meanwhile. In between a falling edge on its receive pin gives EVENT_CONSOLE_EDGE. */
#ifndef HIL_CONSOLE_H
#define HIL_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"
#include "record.h"

/* Call once, when the pins are in their idle state. */
void console_init(void);

/* A record with the next sequence number; fill it with record_...() and send it. One at a time. */
record_t *console_begin(const char *kind);
void console_send(void);

/* Listening: EVENT_RECEIVED comes with bytes. */
void console_listen(bool listen);

/* The oldest byte that waits. */
bool console_read(char *character);

/* What the bytes read so far have suffered on their way: ERROR_NONE, ERROR_COMMAND_CORRUPT (no stop bit, noise) or
 * ERROR_COMMAND_OVERRUN (came faster than they were taken). Forgets it. */
error_t console_damage(void);

/* Not listening, after an edge: waits for the next one. Stop 2 must not be entered before. */
void console_arm(void);

#endif
