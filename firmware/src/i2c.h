/* SPDX-License-Identifier: Apache-2.0 */
/* I2C1 as a master at 400 kHz on PB8 (SCL) and PB9 (SDA), with the pull-ups of the sensor's board. The kernel clock is
 * HSI16; long reads go by DMA while the core sleeps. Only on the idle clock. */
#ifndef HIL_I2C_H
#define HIL_I2C_H

#include <stdbool.h>
#include <stdint.h>

#define I2C_READ_MAX 255u

void i2c_on(void);
void i2c_off(void);

/* Writes `count` bytes (1..255), a register's number first. False if nobody acknowledges or the bus is stuck. */
bool i2c_write(uint32_t address, const uint8_t *bytes, uint32_t count);

/* Reads `count` bytes (1..I2C_READ_MAX) from a register on. False as above. */
bool i2c_read(uint32_t address, uint8_t first_register, uint8_t *bytes, uint32_t count);

#endif
