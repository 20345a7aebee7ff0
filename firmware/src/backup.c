/* SPDX-License-Identifier: Apache-2.0 */
#include "backup.h"

#include "crc.h"
#include "mutant.h"
#include "registers.h"

#define BACKUP_MAGIC 0x48494C31u

enum { WORD_MAGIC, WORD_ANOMALIES, WORD_WAKES, WORD_SCORE, WORD_CRC, WORD_FAULT, WORD_FAULT_ADDRESS };

backup_t backup_load(void)
{
    uint32_t words[WORD_CRC];
    for (unsigned i = 0; i < WORD_CRC; i++) {
        words[i] = RTC->BKPR[i];
    }
    backup_t backup = {0, 0, 0};
    if (words[WORD_MAGIC] == BACKUP_MAGIC && RTC->BKPR[WORD_CRC] == crc32_ieee(words, sizeof words)) {
        backup.anomaly_count = words[WORD_ANOMALIES];
        backup.wake_count = words[WORD_WAKES];
        backup.last_score = words[WORD_SCORE];
    }
    return backup;
}

void backup_store(const backup_t *backup)
{
    if (!MUTANT_STORE_BACKUP) {
        return;
    }
    uint32_t words[WORD_CRC] = {BACKUP_MAGIC, backup->anomaly_count, backup->wake_count, backup->last_score};
    for (unsigned i = 0; i < WORD_CRC; i++) {
        RTC->BKPR[i] = words[i];
    }
    RTC->BKPR[WORD_CRC] = crc32_ieee(words, sizeof words);
}

void backup_record_fault(uint32_t exception_number, uint32_t address)
{
    RTC->BKPR[WORD_FAULT] = exception_number;
    RTC->BKPR[WORD_FAULT_ADDRESS] = address;
}

uint32_t backup_take_fault(void)
{
    uint32_t exception_number = RTC->BKPR[WORD_FAULT];
    if (exception_number != 0u) {
        RTC->BKPR[WORD_FAULT] = 0;
    }
    return exception_number;
}
