// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdlib.h>

#include "tensorflow/lite/micro/micro_interpreter.h"

extern "C" {
void DebugLog(const char *format, va_list arguments);
int stand_in_load(const void *file, uint32_t size, uint32_t *input_size, uint32_t *output_size);
void stand_in_invoke(const void *input, void *output);
#ifdef STAND_IN_CMSIS_NN
int arm_fully_connected_s8(void);
int arm_fully_connected_s8(void) { return 0; }
#endif
}

namespace tflite {

namespace {
const OperatorCode operator_code = {};
const SubGraph subgraph = {};
const flatbuffers::Vector<OperatorCode> operator_codes = {1, &operator_code};
const flatbuffers::Vector<SubGraph> subgraphs = {1, &subgraph};
uint32_t model_size;

void Log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    DebugLog(format, arguments);
    va_end(arguments);
}
}  // namespace

const flatbuffers::Vector<OperatorCode> *Model::operator_codes() const { return &tflite::operator_codes; }
const flatbuffers::Vector<SubGraph> *Model::subgraphs() const { return &tflite::subgraphs; }
const Model *GetModel(const void *buffer) { return static_cast<const Model *>(buffer); }

bool VerifyModelBuffer(flatbuffers::Verifier &verifier)
{
    model_size = static_cast<uint32_t>(verifier.size_);
    return verifier.size_ > 1000;
}

MicroInterpreter::MicroInterpreter(const Model *model, const MicroOpResolver &, uint8_t *arena, size_t arena_size)
    : model_(model), arena_(arena), arena_size_(arena_size), used_(0), input_(), output_()
{
}

MicroInterpreter::~MicroInterpreter() {}

TfLiteStatus MicroInterpreter::AllocateTensors()
{
    uint32_t input_size, output_size;
    if (stand_in_load(model_, model_size, &input_size, &output_size) != 0) {
        return kTfLiteError;
    }
    used_ = input_size + output_size;
    if (arena_size_ < used_) {
        char size[12];
        snprintf(size, sizeof size, "%d", static_cast<int>(arena_size_));  // newlib's, which refers to _write and _sbrk
        Log("arena of %s bytes is too small", size);
        return kTfLiteError;
    }
    input_ = {kTfLiteInt8, {reinterpret_cast<char *>(arena_)}, input_size};
    output_ = {kTfLiteInt8, {reinterpret_cast<char *>(arena_ + input_size)}, output_size};
    return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke()
{
    if (used_ == 0) {
        abort();  // newlib's, which refers to _exit, _kill and _getpid
    }
    stand_in_invoke(input_.data.raw, output_.data.raw);
    return kTfLiteOk;
}

TfLiteTensor *MicroInterpreter::input(size_t) { return &input_; }
TfLiteTensor *MicroInterpreter::output(size_t) { return &output_; }

}  // namespace tflite
