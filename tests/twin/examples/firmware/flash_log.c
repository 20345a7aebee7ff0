/* SPDX-License-Identifier: Apache-2.0 */
/* A log of double words in two pages of the bank that the program runs from: full pages are erased in turn. */
#include "example.h"

#define FLASH_KEYR REG(0x40022008u)
#define FLASH_SR REG(0x40022010u)
#define FLASH_CR REG(0x40022014u)
#define LOG_BASE 0x08010000u
#define PAGE 2048u
#define FIRST_PAGE ((LOG_BASE - 0x08000000u) / PAGE)
enum { PG = 1u, PER = 2u, STRT = 1u << 16, BSY = 1u << 16, LOCK = 1u << 31 };

static status_t wait_ready(void)
{
    uint32_t start = ticks;
    while ((FLASH_SR & BSY) != 0u) {
        if (ticks - start > 100u) {
            return TIMEOUT;
        }
    }
    uint32_t errors = FLASH_SR & 0xC3FAu;
    FLASH_SR = errors;
    return errors == 0u ? OK : ERROR;
}

static status_t erase(uint32_t page)
{
    FLASH_CR = PER | (page << 3);
    SET_BIT(FLASH_CR, STRT);
    status_t status = wait_ready();
    CLEAR_BIT(FLASH_CR, PER | (0xFFu << 3));
    return status;
}

static status_t append(uint32_t address, uint32_t low, uint32_t high)
{
    SET_BIT(FLASH_CR, PG);
    REG(address) = low;
    __asm volatile("isb" ::: "memory");
    REG(address + 4u) = high;
    status_t status = wait_ready();
    CLEAR_BIT(FLASH_CR, PG);
    return status;
}

int example(void)
{
    pins_to_analog();
    tick_start(4000000u);
    FLASH_KEYR = 0x45670123u;
    FLASH_KEYR = 0xCDEF89ABu;
    status_t worst = OK;
    for (uint32_t record = 0; record < 600u; record++) {
        uint32_t offset = (record * 8u) % (2u * PAGE);
        if (offset % PAGE == 0u) {
            status_t status = erase(FIRST_PAGE + offset / PAGE);
            worst = status != OK ? status : worst;
        }
        status_t status = append(LOG_BASE + offset, record, ~record);
        worst = status != OK ? status : worst;
        RESULT[COUNT] = record + 1u;
    }
    SET_BIT(FLASH_CR, LOCK);
    RESULT[VALUE] = (uint32_t)worst;
    RESULT[OTHER] = ticks;
    tick_stop();
    RESULT[STEP] = 1;
    wait_for_interrupt();
    return 0;
}
