/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "cortex_m4.h"

static volatile uint32_t pending;

void event_set(uint32_t events)
{
    pending |= events;
}

uint32_t event_take(uint32_t wanted)
{
    uint32_t masked = interrupts_save();
    uint32_t events = pending & wanted;
    pending &= ~events;
    interrupts_restore(masked);
    return events;
}

uint32_t event_pending(uint32_t wanted)
{
    return pending & wanted;
}
