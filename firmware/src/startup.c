/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main(), and what happens to exceptions that nobody expects. */
#include <stdbool.h>
#include <stdint.h>

#include "backup.h"
#include "board.h"
#include "config.h"
#include "cortex_m4.h"
#include "handlers.h"
#include "rtc.h"
#include "registers.h"

#define CORE_EXCEPTIONS 16
#define SYSTICK_EXCEPTION 15
#define FRAME_RETURN_ADDRESS 6 /* word of the exception frame: R0 R1 R2 R3 R12 LR PC xPSR */

/* From the linker script. */
extern uint32_t stack_top[], ram_start[];
extern const uint32_t data_load[];
extern uint32_t data_start[], data_end[], bss_start[], bss_end[];

int main(void);

#define ABSOLUTE_SYMBOL(name) ".global " #name "\n\t.set " #name ", %c[" #name "]\n\t"

/* Names the engine to whoever reads the image, as an absolute symbol: hil_engine_builtin, hil_engine_tflm. */
__asm(".global hil_engine_" ENGINE_NAME "\n\t.set hil_engine_" ENGINE_NAME ", 1\n");

/* Tells the linker script, as absolute symbols, how much of the RAM is the model's and in nobody's budget, and the budgets,
 * which the build sets by the engine (CMakeLists.txt). */
void link_sizes(void);
__attribute__((naked)) void link_sizes(void)
{
    __asm volatile(ABSOLUTE_SYMBOL(network_arena_bytes) ABSOLUTE_SYMBOL(flash_budget) ABSOLUTE_SYMBOL(ram_budget)
                   :
                   : [network_arena_bytes] "i"(NETWORK_ARENA_BYTES + MODEL_TENSOR_BYTES), [flash_budget] "i"(FLASH_BUDGET_BYTES),
                     [ram_budget] "i"(RAM_BUDGET_BYTES));
}

_Noreturn void Reset_Handler(void);
void Fault_Handler(void);
_Noreturn void fault_report(const uint32_t *frame, uint32_t exception_number);

typedef void (*vector_t)(void);

/* Designated ranges fill the rest of the table, then single entries replace them: that order is meant. */
#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
__attribute__((section(".vectors"), used)) static const vector_t vectors[CORE_EXCEPTIONS + IRQ_COUNT] = {
    [0] = (vector_t)(uintptr_t)stack_top,
    [1] = Reset_Handler,
    [2 ... CORE_EXCEPTIONS + IRQ_COUNT - 1] = Fault_Handler,
    [SYSTICK_EXCEPTION] = SysTick_Handler,
    [CORE_EXCEPTIONS + IRQ_TAMP_STAMP] = TAMP_STAMP_IRQHandler,
    [CORE_EXCEPTIONS + IRQ_RTC_WKUP] = RTC_WKUP_IRQHandler,
    [CORE_EXCEPTIONS + IRQ_RCC] = RCC_IRQHandler,
    [CORE_EXCEPTIONS + CONSOLE_EDGE_INTERRUPT] = console_edge_interrupt,
#ifdef SENSOR_LSM6DSL
    [CORE_EXCEPTIONS + SENSOR_EDGE_INTERRUPT] = sensor_edge_interrupt,
    [CORE_EXCEPTIONS + BUS_INTERRUPT] = bus_interrupt,
#elif !defined(SENSOR_NONE)
    [CORE_EXCEPTIONS + IRQ_DMA1_CHANNEL1] = DMA1_Channel1_IRQHandler,
    [CORE_EXCEPTIONS + IRQ_ADC1_2] = ADC1_2_IRQHandler,
#endif
    [CORE_EXCEPTIONS + CONSOLE_INTERRUPT] = console_interrupt,
};
#pragma GCC diagnostic pop

void Reset_Handler(void)
{
    /* First of all: the compiler may move data through floating-point registers. */
    SCB_CPACR |= SCB_CPACR_FPU_FULL_ACCESS;
    data_barrier();
    SCB->VTOR = (uint32_t)(uintptr_t)vectors; /* reset leaves the alias of flash at 0 */

    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to != data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to != bss_end; to++) {
        *to = 0;
    }
    main();
    system_reset(); /* main() does not return */
}

/* Every fault and every interrupt without a handler: hands the stacked frame and the exception's number on. */
__attribute__((naked)) void Fault_Handler(void)
{
    __asm volatile("mov r0, sp\n\t"
                   "mrs r1, ipsr\n\t"
                   "b fault_report");
}

/* Leaves a note for the next boot, which logs it and sends it as `ERR code=`, and starts over. */
__attribute__((used)) void fault_report(const uint32_t *frame, uint32_t exception_number)
{
    RCC->APB1ENR1 |= RCC_APB1ENR1_PWREN; /* the fault may have come before main() did this */
    (void)RCC->APB1ENR1;
    rtc_unlock_backup_domain();
    /* A stack that ran out of RAM must not fault again here. */
    uintptr_t address = (uintptr_t)&frame[FRAME_RETURN_ADDRESS];
    bool readable = address >= (uintptr_t)ram_start && address < (uintptr_t)stack_top;
    backup_leave_note(&(backup_note_t){exception_number, 0, readable ? frame[FRAME_RETURN_ADDRESS] : 0u});
    system_reset();
}
