/* SPDX-License-Identifier: Apache-2.0 */
/* What interrupt handlers tell the application. All handlers have one priority, so none interrupts another. */
#ifndef HIL_EVENTS_H
#define HIL_EVENTS_H

#include <stdint.h>

enum {
    EVENT_WAKEUP = 1u << 0,     /* the RTC's wake-up timer: a duty cycle is due */
    EVENT_OVERDUE = 1u << 1,    /* it came again while the last one had not been taken */
    EVENT_CONSOLE_EDGE = 1u << 2, /* somebody begins to speak on the console's line */
    EVENT_RECEIVED = 1u << 3,   /* bytes wait in the console */
    EVENT_SENT = 1u << 4,       /* the console's line is out */
    EVENT_TIMEOUT = 1u << 5,    /* timeout.h */
    EVENT_WINDOW = 1u << 6,     /* the sampling is over */
    EVENT_LSE_READY = 1u << 7,
    EVENT_LSE_FAILED = 1u << 8,
    EVENT_BUS = 1u << 9,        /* the sensor's bus is done */
    EVENT_SENSOR = 1u << 10,    /* the sensor has samples */
};

/* From handlers only. */
void event_set(uint32_t events);

/* Those of `wanted` that have come; forgets them. */
uint32_t event_take(uint32_t wanted);

/* The same without forgetting. */
uint32_t event_pending(uint32_t wanted);

#endif
