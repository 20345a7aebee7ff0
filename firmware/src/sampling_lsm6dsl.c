/* SPDX-License-Identifier: Apache-2.0 */
/* One window of acceleration along z from an LSM6DSL (ST DocID028475) on the board's bus, address 0x6A. Its FIFO collects while the
 * part is in Stop 2 and wakes it by INT1 whenever BATCH_SAMPLES have come. */
#include <stddef.h>

#include "board.h"
#include "clock.h"
#include "config.h"
#include "events.h"
#include "i2c.h"
#include "power.h"
#include "sampling.h"
#include "watchdog.h"

/* A name for the bench to find in the image: its machine has to shake the sensor. Takes no memory. */
__asm__(".global hil_samples_lsm6dsl\n.type hil_samples_lsm6dsl, %object\n.set hil_samples_lsm6dsl, 1");

#define SENSOR_ADDRESS 0x6Au

enum {
    FIFO_CTRL1 = 0x06,
    FIFO_CTRL3 = 0x08,
    FIFO_CTRL5 = 0x0A,
    INT1_CTRL = 0x0D,
    WHO_AM_I = 0x0F,
    CTRL1_XL = 0x10,
    CTRL3_C = 0x12,
    FIFO_DATA_OUT_L = 0x3E,
};
#define IDENTITY 0x6Au
#define CTRL3_C_BDU_IF_INC 0x44u
#define ODR_1660_HZ 8u
#define CTRL1_XL_ODR(rate) ((uint8_t)((rate) << 4)) /* full scale 2 g */
#define FIFO_CTRL3_ALL_XL 0x01u                     /* every sample of the accelerometer, nothing of the gyroscope */
#define FIFO_CTRL5_CONTINUOUS(rate) ((uint8_t)((rate) << 3 | 6u))
#define INT1_CTRL_FTH 0x08u

#define AXES 3u
#define SAMPLE_BYTES (2u * AXES)
#define BATCH_SAMPLES 512u /* of the 682 that the FIFO's 4 KB hold: 170 more come in 102 ms, reading takes 75 ms */
#define READ_SAMPLES 42u   /* at a time: 252 of the 255 bytes of an I2C transfer */

_Static_assert(SAMPLE_RATE_HZ == 1660u, "the sensor's data rate");
_Static_assert(WINDOW_SAMPLES % BATCH_SAMPLES == 0u, "a window is whole batches");

static bool set(uint8_t first_register, uint8_t value)
{
    const uint8_t bytes[] = {first_register, value};
    return i2c_write(SENSOR_ADDRESS, bytes, sizeof bytes);
}

static bool start(void)
{
    uint8_t identity = 0;
    const uint8_t threshold[] = {FIFO_CTRL1, (uint8_t)(BATCH_SAMPLES * AXES), (uint8_t)(BATCH_SAMPLES * AXES >> 8)};
    return i2c_read(SENSOR_ADDRESS, WHO_AM_I, &identity, 1) && identity == IDENTITY &&
           set(CTRL3_C, CTRL3_C_BDU_IF_INC) && set(CTRL1_XL, CTRL1_XL_ODR(ODR_1660_HZ)) &&
           i2c_write(SENSOR_ADDRESS, threshold, sizeof threshold) && set(FIFO_CTRL3, FIFO_CTRL3_ALL_XL) &&
           set(INT1_CTRL, INT1_CTRL_FTH) && set(FIFO_CTRL5, FIFO_CTRL5_CONTINUOUS(ODR_1660_HZ));
}

/* The sensor draws hundreds of microamperes until then. */
static bool stop(void)
{
    bool done = set(INT1_CTRL, 0);
    done = set(FIFO_CTRL5, 0) && done;
    return set(CTRL1_XL, 0) && done;
}

/* What the detector reads are 12-bit codes. */
static uint16_t code(const uint8_t *bytes)
{
    int32_t value = (int16_t)(uint16_t)(bytes[0] | (uint32_t)bytes[1] << 8);
    return (uint16_t)((value + 0x8000) >> 4);
}

static bool read_batch(uint16_t *samples)
{
    static uint8_t bytes[READ_SAMPLES * SAMPLE_BYTES];
    for (uint32_t done = 0; done < BATCH_SAMPLES;) {
        uint32_t count = BATCH_SAMPLES - done < READ_SAMPLES ? BATCH_SAMPLES - done : READ_SAMPLES;
        if (!i2c_read(SENSOR_ADDRESS, FIFO_DATA_OUT_L, bytes, count * SAMPLE_BYTES)) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            samples[done + i] = code(&bytes[i * SAMPLE_BYTES + SAMPLE_BYTES - 2u]);
        }
        done += count;
        watchdog_feed();
    }
    return true;
}

/* A sensor that never speaks up is given up when the next wake is due. */
static bool wait_for_batch(void)
{
    if (event_take(EVENT_SENSOR) != 0u) {
        return true;
    }
    i2c_off();
    bool came = (power_stop2_until(EVENT_SENSOR | EVENT_WAKEUP) & EVENT_SENSOR) != 0u;
    i2c_on();
    return came;
}

error_t sampling_run(uint16_t *samples, uint32_t count)
{
    i2c_on();
    (void)event_take(EVENT_SENSOR);
    board_sensor_interrupt(true);
    bool going = start();
    for (uint32_t done = 0; going && done < count; done += BATCH_SAMPLES) {
        going = wait_for_batch() && read_batch(&samples[done]);
    }
    going = stop() && going;
    board_sensor_interrupt(false);
    i2c_off();
    return going ? ERROR_NONE : ERROR_SENSOR;
}
