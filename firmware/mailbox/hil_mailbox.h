/* SPDX-License-Identifier: Apache-2.0 */
/* A door for the rig: the debugger gives a firmware a tensor and takes its answer, its cycles and its marks.
 *
 * Add hil_mailbox.h and hil_mailbox.c to any firmware for an Arm Cortex-M (C99 or C++; no library, no heap, no interrupt,
 * no pin). Say where the tensors are and how the network is run, and ask once after start-up:
 *
 *     static int8_t input[64], output[10];
 *
 *     static uint32_t run(uint32_t command, void *context)
 *     {
 *         (void)context;
 *         return command == HIL_MAILBOX_INFER ? my_network(input, output) : HIL_MAILBOX_UNKNOWN;
 *     }
 *
 *     static const hil_mailbox_door_t door = {
 *         .input = {input, sizeof input, HIL_MAILBOX_INT8},
 *         .output = {output, sizeof output, HIL_MAILBOX_INT8},
 *         .run = run,
 *     };
 *
 *     if (hil_mailbox_open(&door)) {
 *         hil_mailbox_serve(&door);
 *     }
 *
 * hil_mailbox_open() fills in the structure and returns; only if the rig asked before the reset does it return true.
 *
 * The structure has to survive the start-up code, because the rig writes to it at the reset vector. It is in the section
 * .noinit, which linker scripts without such a section leave behind .bss, not cleared. Where the heap begins there (malloc),
 * give .noinit its own output section: .noinit (NOLOAD) : { KEEP(*(.noinit*)) } > RAM
 *
 * hil_mailbox_tflm.h wraps TensorFlow Lite Micro's interpreter. */
#ifndef HIL_MAILBOX_H
#define HIL_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HIL_MAILBOX_MAGIC 0x4D424F58u /* "MBOX" */
#define HIL_MAILBOX_VERSION 2u
#define HIL_MAILBOX_SERVE 0x53455256u /* "SERV" */
#define HIL_MAILBOX_MARKS 16u

/* Commands that `run` gets. Numbers above 15 are the firmware's own. */
#define HIL_MAILBOX_INFER 1u   /* input -> output */
#define HIL_MAILBOX_PROCESS 2u /* samples -> input -> output */

/* Runs HIL_MAILBOX_INFER over and over, until the next request: for a current and a time per inference. */
#define HIL_MAILBOX_REPEAT 3u

/* What `run` returns: 0, an error number of the firmware's own, or this. */
#define HIL_MAILBOX_DONE 0u
#define HIL_MAILBOX_UNKNOWN 0xFFFFFFFFu

/* Types of elements. */
#define HIL_MAILBOX_NONE 0u
#define HIL_MAILBOX_INT8 1u
#define HIL_MAILBOX_UINT8 2u
#define HIL_MAILBOX_INT16 3u
#define HIL_MAILBOX_UINT16 4u
#define HIL_MAILBOX_INT32 5u
#define HIL_MAILBOX_FLOAT32 6u

/* An array that the debugger may write to or read from. */
typedef struct {
    void *data;
    uint32_t bytes;
    uint32_t type;
} hil_mailbox_tensor_t;

typedef struct {
    hil_mailbox_tensor_t input;
    hil_mailbox_tensor_t output;
    hil_mailbox_tensor_t samples; /* all zero where there is nothing to compute the input from */
    uint32_t (*run)(uint32_t command, void *context);
    void *context;
} hil_mailbox_door_t;

typedef struct {
    uint32_t id;
    uint32_t cycles; /* of DWT_CYCCNT, which stands still while the core sleeps */
} hil_mailbox_mark_t;

/* What the debugger sees, at the symbol hil_mailbox: little-endian words, addresses as 32-bit numbers. */
typedef struct {
    uint32_t magic; /* written last by hil_mailbox_open() */
    uint32_t version;
    uint32_t control;
    uint32_t request;
    uint32_t response;
    uint32_t command;
    uint32_t status; /* what `run` returned */
    uint32_t cycles; /* of `run`, or as it said; 0 where the core has no cycle counter */
    uint32_t value;  /* the firmware's own result beside the output */
    uint32_t size;   /* of this structure, in bytes */
    uint32_t input_address, input_bytes, input_type;
    uint32_t output_address, output_bytes, output_type;
    uint32_t samples_address, samples_bytes, samples_type;
    uint32_t mark_capacity;
    uint32_t mark_count; /* since start-up; the mark n is at n modulo mark_capacity */
    uint32_t run_count;  /* of the last HIL_MAILBOX_REPEAT */
    hil_mailbox_mark_t marks[HIL_MAILBOX_MARKS];
} hil_mailbox_t;

extern volatile hil_mailbox_t hil_mailbox;

/* Fills in the structure, and says whether the rig asks for the service. Call once, after start-up and after the tensors
 * are known. Costs some hundred cycles and draws nothing. */
bool hil_mailbox_open(const hil_mailbox_door_t *door);

/* Runs what the rig asks for until it has enough, then resets the part. Feed no watchdog here: start it later. */
void hil_mailbox_serve(const hil_mailbox_door_t *door);

/* From inside `run`: what `cycles` is to say, where it is not the whole of `run`. hil_mailbox_cycles() counts on. */
uint32_t hil_mailbox_cycles(void);
void hil_mailbox_set_cycles(uint32_t cycles);

/* From inside `run`: a number to hand to the rig beside the output, as a score. */
void hil_mailbox_set_value(uint32_t value);

/* Leaves a mark with the cycle count, for the rig to read: anywhere, also in an interrupt handler. Not before
 * hil_mailbox_open(). Two marks at once, from two priorities, can take one place. */
void hil_mailbox_mark(uint32_t id);

#ifdef __cplusplus
}
#endif

#endif
