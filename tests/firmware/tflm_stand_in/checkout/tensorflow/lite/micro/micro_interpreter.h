// SPDX-License-Identifier: Apache-2.0
// Stand-in for a test: the part of the API that firmware/engine_tflm uses.
#pragma once
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

typedef union {
    char *raw;
    int8_t *int8;
} TfLitePtrUnion;

#ifndef TF_LITE_STATIC_MEMORY
#error "the tensor's layout depends on it"
#endif

typedef struct {
    TfLiteType type;
    TfLitePtrUnion data;
    size_t bytes;
} TfLiteTensor;

namespace tflite {

class MicroInterpreter {
public:
    MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *arena, size_t arena_size);
    ~MicroInterpreter();
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
    size_t inputs_size() const { return 1; }
    size_t outputs_size() const { return 1; }
    size_t arena_used_bytes() const { return used_; }

private:
    const Model *model_;
    uint8_t *arena_;
    size_t arena_size_;
    size_t used_;
    TfLiteTensor input_;
    TfLiteTensor output_;
};

}  // namespace tflite
