// SPDX-License-Identifier: Apache-2.0
// Stand-in for a test: the part of the API that firmware/engine_tflm uses.
#pragma once
#include <cstdio>
#include <cstring>

#include "fixedpoint/fixedpoint.h"
#include "ruy/profiler/instrumentation.h"
#include "signal/micro/kernels/rfft.h"
#include "tensorflow/lite/schema/schema_generated.h"

typedef enum { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;
typedef enum {
    kTfLiteNoType = 0,
    kTfLiteFloat32 = 1,
    kTfLiteInt32 = 2,
    kTfLiteUInt8 = 3,
    kTfLiteInt16 = 7,
    kTfLiteInt8 = 9
} TfLiteType;
typedef struct {
    int builtin_code;
} TFLMRegistration;

namespace tflite {

class MicroOpResolver {
public:
    virtual const TFLMRegistration *FindOp(BuiltinOperator op) const = 0;
    virtual ~MicroOpResolver() {}
};

template <unsigned int tOpCount> class MicroMutableOpResolver : public MicroOpResolver {
public:
    const TFLMRegistration *FindOp(BuiltinOperator) const override { return count_ > 0 ? &registration_ : nullptr; }
    TfLiteStatus AddFullyConnected() { return Add(); }
    TfLiteStatus AddRelu() { return Add(); }
    TfLiteStatus AddRelu6() { return Add(); }
    TfLiteStatus AddLogistic() { return Add(); }
    TfLiteStatus AddTanh() { return Add(); }
    TfLiteStatus AddQuantize() { return Add(); }
    TfLiteStatus AddDequantize() { return Add(); }
    TfLiteStatus AddReshape() { return Add(); }
    TfLiteStatus AddConv2D() { return Add(); }
    TfLiteStatus AddDepthwiseConv2D() { return Add(); }
    TfLiteStatus AddAveragePool2D() { return Add(); }
    TfLiteStatus AddMaxPool2D() { return Add(); }
    TfLiteStatus AddAdd() { return Add(); }
    TfLiteStatus AddSoftmax() { return Add(); }

private:
    TfLiteStatus Add() { return ++count_ <= tOpCount ? kTfLiteOk : kTfLiteError; }
    TFLMRegistration registration_ = {9};
    unsigned int count_ = 0;
};

}  // namespace tflite
