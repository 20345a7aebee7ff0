/* SPDX-License-Identifier: Apache-2.0 */
/* What can go wrong: the numbers of `ERR code=<n>` records and of the mailbox's status word. */
#ifndef HIL_ERRORS_H
#define HIL_ERRORS_H

typedef enum {
    ERROR_NONE = 0,

    ERROR_MODEL_BOUNDS = 1,       /* an offset or a size in the file points outside it */
    ERROR_MODEL_IDENTIFIER = 2,   /* not a TFL3 FlatBuffer of schema version 3 */
    ERROR_MODEL_GRAPH = 3,        /* not one chain of operators from one input to one output */
    ERROR_MODEL_OPERATOR = 4,     /* an operator or fused activation that the interpreter lacks */
    ERROR_MODEL_TYPE = 5,         /* a tensor is not of the element type the kernel needs */
    ERROR_MODEL_SHAPE = 6,        /* tensor shapes that do not fit each other or the application */
    ERROR_MODEL_QUANTISATION = 7, /* scales or zero points missing, out of range or of the wrong number */
    ERROR_MODEL_MEMORY = 8,       /* needs more RAM or layers than config.h grants */

    ERROR_SAMPLING = 16,      /* DMA transfer error or ADC overrun */
    ERROR_LSE_START = 17,       /* the 32.768 kHz crystal does not start: the RTC goes on the LSI */
    ERROR_MAILBOX_COMMAND = 18, /* unknown mailbox command */
    ERROR_LSE_FAILED = 19,      /* the 32.768 kHz crystal has stopped: the RTC goes on with the LSI */

    ERROR_COMMAND_CORRUPT = 20, /* a line that is no command, or whose CRC is wrong */
    ERROR_COMMAND_OVERLONG = 21,
    ERROR_COMMAND_OVERRUN = 22, /* bytes came faster than they were taken */
    ERROR_COMMAND_UNKNOWN = 23, /* no such verb */
    ERROR_COMMAND_FIELD = 24,   /* a field is missing, unknown, not of this verb or not of its form */
    ERROR_COMMAND_RANGE = 25,   /* a value that the setting cannot take */
    ERROR_SENSOR = 26, /* the accelerometer does not answer, is another one or gives no samples */

    ERROR_FAULT = 32, /* + number of the exception that ended the previous run (3 HardFault ... 6 UsageFault) */
} error_t;

#endif
