// SPDX-License-Identifier: Apache-2.0
// The mailbox in front of TensorFlow Lite Micro's interpreter, of a network with one input and one output:
//
//     interpreter.AllocateTensors();
//     hil::MailboxTflm door(&interpreter);
//     if (door.Open()) {
//         door.Serve();
//     }
//
// C++11. The debugger writes to the interpreter's own tensors; nothing is copied.
#ifndef HIL_MAILBOX_TFLM_H
#define HIL_MAILBOX_TFLM_H

#include "hil_mailbox.h"
#include "tensorflow/lite/micro/micro_interpreter.h"

namespace hil {

class MailboxTflm {
public:
    // `interpreter` has allocated its tensors, and outlives this.
    explicit MailboxTflm(tflite::MicroInterpreter *interpreter)
    {
        door_.input = Describe(interpreter->input(0));
        door_.output = Describe(interpreter->output(0));
        door_.samples = hil_mailbox_tensor_t();
        door_.run = Run;
        door_.context = interpreter;
    }

    bool Open() const { return hil_mailbox_open(&door_); }
    void Serve() const { hil_mailbox_serve(&door_); }

private:
    static uint32_t Run(uint32_t command, void *context)
    {
        if (command != HIL_MAILBOX_INFER) {
            return HIL_MAILBOX_UNKNOWN;
        }
        TfLiteStatus status = static_cast<tflite::MicroInterpreter *>(context)->Invoke();
        return status == kTfLiteOk ? HIL_MAILBOX_DONE : static_cast<uint32_t>(status);
    }

    static hil_mailbox_tensor_t Describe(TfLiteTensor *tensor)
    {
        hil_mailbox_tensor_t found = {tensor->data.raw, static_cast<uint32_t>(tensor->bytes), HIL_MAILBOX_NONE};
        switch (tensor->type) {
        case kTfLiteInt8:
            found.type = HIL_MAILBOX_INT8;
            break;
        case kTfLiteUInt8:
            found.type = HIL_MAILBOX_UINT8;
            break;
        case kTfLiteInt16:
            found.type = HIL_MAILBOX_INT16;
            break;
        case kTfLiteInt32:
            found.type = HIL_MAILBOX_INT32;
            break;
        case kTfLiteFloat32:
            found.type = HIL_MAILBOX_FLOAT32;
            break;
        default:
            break;
        }
        return found;
    }

    hil_mailbox_door_t door_;
};

}  // namespace hil

#endif
