/* SPDX-License-Identifier: Apache-2.0 */
/* What survives a reset: counters in the RTC's backup registers.
 *
 *   BKP0R  magic 0x48494C31 ("HIL1")
 *   BKP1R  anomaly_count
 *   BKP2R  wake_count
 *   BKP3R  last_score
 *   BKP4R  CRC-32 of BKP0R..BKP3R as 16 little-endian bytes
 *   BKP5R  number of the exception that ended the previous run, 0 for none
 *   BKP6R  address of the faulting instruction
 *
 * The backup domain must be unlocked (rtc.h) before any of these. */
#ifndef HIL_BACKUP_H
#define HIL_BACKUP_H

#include <stdint.h>

typedef struct {
    uint32_t anomaly_count;
    uint32_t wake_count;
    uint32_t last_score;
} backup_t;

/* The stored counters; zeros where the magic or the CRC is wrong. */
backup_t backup_load(void);
void backup_store(const backup_t *backup);

/* Called by the fault handler, which then resets; backup_take_fault() returns the number once and forgets it. */
void backup_record_fault(uint32_t exception_number, uint32_t address);
uint32_t backup_take_fault(void);

#endif
