// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>

#include "tensorflow/lite/micro/micro_interpreter.h"

extern "C" void DebugLog(const char *format, va_list arguments);

namespace tflite {

namespace {
const OperatorCode operator_code = {};
const SubGraph subgraph = {};
const flatbuffers::Vector<OperatorCode> operator_codes = {1, &operator_code};
const flatbuffers::Vector<SubGraph> subgraphs = {1, &subgraph};
constexpr size_t kSize = 32;

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
bool VerifyModelBuffer(flatbuffers::Verifier &verifier) { return verifier.size_ > 1000; }

MicroInterpreter::MicroInterpreter(const Model *, const MicroOpResolver &, uint8_t *arena, size_t arena_size)
    : arena_(arena), arena_size_(arena_size), input_(), output_()
{
}

MicroInterpreter::~MicroInterpreter() {}

TfLiteStatus MicroInterpreter::AllocateTensors()
{
    if (arena_size_ < 2 * kSize) {
        Log("arena of %d bytes is too small", static_cast<int>(arena_size_));
        return kTfLiteError;
    }
    input_ = {kTfLiteInt8, {reinterpret_cast<char *>(arena_)}, kSize};
    output_ = {kTfLiteInt8, {reinterpret_cast<char *>(arena_ + kSize)}, kSize};
    return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke()
{
    for (size_t i = 0; i < kSize; i++) {
        output_.data.int8[i] = static_cast<int8_t>(input_.data.int8[i] + 1);
    }
    return kTfLiteOk;
}

TfLiteTensor *MicroInterpreter::input(size_t) { return &input_; }
TfLiteTensor *MicroInterpreter::output(size_t) { return &output_; }
size_t MicroInterpreter::arena_used_bytes() const { return 2 * kSize; }

}  // namespace tflite
