/* SPDX-License-Identifier: Apache-2.0 */
#include "hil_mailbox.h"

/* Registers of every Cortex-M (ARMv6-M and ARMv7-M architecture reference manuals). Where there is no cycle counter, as on
 * a Cortex-M0+, it reads 0. */
#define AIRCR (*(volatile uint32_t *)0xE000ED0Cu)
#define AIRCR_SYSRESETREQ 0x05FA0004u /* with the write key */
#define DEMCR (*(volatile uint32_t *)0xE000EDFCu)
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL (*(volatile uint32_t *)0xE0001000u)
#define DWT_CTRL_CYCCNTENA (1u << 0)
#define DWT_CYCCNT (*(volatile uint32_t *)0xE0001004u)

/* hil_mailbox survives a reset. Every word is volatile, because the debugger changes them behind the firmware's back.
 * Defined in assembly: clang takes a variable in .noinit for initialised data, which no flash programmer could load. */
#define STRUCTURE_BYTES 216
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
__asm(".pushsection .noinit, \"aw\", %nobits\n\t"
      ".balign 4\n\t"
      ".global hil_mailbox\n\t"
      ".type hil_mailbox, %object\n\t"
      ".size hil_mailbox, " TEXT(STRUCTURE_BYTES) "\n"
      "hil_mailbox:\n\t"
      ".space " TEXT(STRUCTURE_BYTES) "\n\t"
      ".popsection");

/* An array of negative length if the structure has another size. */
typedef char structure_has_its_size[sizeof(hil_mailbox_t) == STRUCTURE_BYTES ? 1 : -1];

static bool cycles_set;

static void barrier(void)
{
    __asm volatile("dsb" ::: "memory");
}

/* Each time: a debugger that disconnects may have turned the trace unit off. */
uint32_t hil_mailbox_cycles(void)
{
    DEMCR |= DEMCR_TRCENA;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    return DWT_CYCCNT;
}

bool hil_mailbox_open(const hil_mailbox_door_t *door)
{
    bool serve = hil_mailbox.control == HIL_MAILBOX_SERVE && hil_mailbox.request == ~HIL_MAILBOX_SERVE;
    if (!serve) {
        hil_mailbox.control = 0;
    }
    hil_mailbox.version = HIL_MAILBOX_VERSION;
    hil_mailbox.size = sizeof hil_mailbox;
    hil_mailbox.request = 0;
    hil_mailbox.response = 0;
    hil_mailbox.status = HIL_MAILBOX_DONE;
    hil_mailbox.cycles = 0;
    hil_mailbox.value = 0;
    hil_mailbox.input_address = (uint32_t)(uintptr_t)door->input.data;
    hil_mailbox.input_bytes = door->input.bytes;
    hil_mailbox.input_type = door->input.type;
    hil_mailbox.output_address = (uint32_t)(uintptr_t)door->output.data;
    hil_mailbox.output_bytes = door->output.bytes;
    hil_mailbox.output_type = door->output.type;
    hil_mailbox.samples_address = (uint32_t)(uintptr_t)door->samples.data;
    hil_mailbox.samples_bytes = door->samples.bytes;
    hil_mailbox.samples_type = door->samples.type;
    hil_mailbox.mark_capacity = HIL_MAILBOX_MARKS;
    hil_mailbox.mark_count = 0;
    hil_mailbox.run_count = 0;
    barrier();
    hil_mailbox.magic = HIL_MAILBOX_MAGIC;
    return serve;
}

void hil_mailbox_set_cycles(uint32_t cycles)
{
    hil_mailbox.cycles = cycles;
    cycles_set = true;
}

void hil_mailbox_set_value(uint32_t value)
{
    hil_mailbox.value = value;
}

void hil_mailbox_mark(uint32_t id)
{
    uint32_t count = hil_mailbox.mark_count;
    hil_mailbox.marks[count % HIL_MAILBOX_MARKS].id = id;
    hil_mailbox.marks[count % HIL_MAILBOX_MARKS].cycles = hil_mailbox_cycles();
    hil_mailbox.mark_count = count + 1u;
}

static void run_once(const hil_mailbox_door_t *door, uint32_t command)
{
    cycles_set = false;
    uint32_t start = hil_mailbox_cycles();
    uint32_t status = door->run(command, door->context);
    uint32_t cycles = DWT_CYCCNT - start;
    hil_mailbox.status = status;
    if (!cycles_set) {
        hil_mailbox.cycles = cycles;
    }
}

void hil_mailbox_serve(const hil_mailbox_door_t *door)
{
    while (hil_mailbox.control == HIL_MAILBOX_SERVE) {
        uint32_t request = hil_mailbox.request;
        if (request == hil_mailbox.response) {
            continue;
        }
        barrier(); /* the tensor before the request that announces it */
        if (hil_mailbox.command == HIL_MAILBOX_REPEAT) {
            hil_mailbox.run_count = 0;
            do {
                run_once(door, HIL_MAILBOX_INFER);
                hil_mailbox.run_count = hil_mailbox.run_count + 1u;
            } while (hil_mailbox.status == HIL_MAILBOX_DONE && hil_mailbox.request == request);
        } else {
            run_once(door, hil_mailbox.command);
        }
        barrier();
        hil_mailbox.response = request;
    }
    barrier();
    AIRCR = AIRCR_SYSRESETREQ;
    for (;;) {
    }
}
