// SPDX-License-Identifier: Apache-2.0
// The .tflite file, as it is. Found on the include path; hil_model .. hil_model_end also tell the rig what was linked.
    .syntax unified
    .section .rodata.hil_model, "a", %progbits
    .balign 16
    .global hil_model
    .type hil_model, %object
hil_model:
    .incbin "hil_model.tflite"
    .size hil_model, . - hil_model
    .global hil_model_end
    .type hil_model_end, %object
hil_model_end:
