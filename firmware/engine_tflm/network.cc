// SPDX-License-Identifier: Apache-2.0
// engine/network.h's interface in front of TensorFlow Lite Micro's C++ one.
#include "network.h"

#include <string.h>

#include "flatbuffers/flatbuffers.h"
#include "operators.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

constexpr int kOperatorKinds = 14;  // the same as engine/ has
constexpr char kIdentifier[] = "TFL3";
constexpr uint32_t kIdentifierOffset = 4;

using Resolver = tflite::MicroMutableOpResolver<kOperatorKinds>;

tflite::MicroInterpreter *interpreter = nullptr;

bool AddOperators(Resolver *resolver)
{
    return resolver->AddFullyConnected() == kTfLiteOk && resolver->AddRelu() == kTfLiteOk &&
           resolver->AddRelu6() == kTfLiteOk && resolver->AddLogistic() == kTfLiteOk &&
           resolver->AddTanh() == kTfLiteOk && resolver->AddQuantize() == kTfLiteOk &&
           resolver->AddDequantize() == kTfLiteOk && resolver->AddReshape() == kTfLiteOk &&
           (!NETWORK_CONV_2D || resolver->AddConv2D() == kTfLiteOk) &&
           (!NETWORK_DEPTHWISE_CONV_2D || resolver->AddDepthwiseConv2D() == kTfLiteOk) &&
           (!NETWORK_POOL_2D ||
            (resolver->AddAveragePool2D() == kTfLiteOk && resolver->AddMaxPool2D() == kTfLiteOk)) &&
           (!NETWORK_ADD || resolver->AddAdd() == kTfLiteOk) &&
           (!NETWORK_SOFTMAX || resolver->AddSoftmax() == kTfLiteOk);
}

// The interpreter itself trusts every offset in the file.
hil_error_t CheckFile(const void *file, uint32_t size)
{
    const uint8_t *bytes = static_cast<const uint8_t *>(file);
    if (size < kIdentifierOffset + 4u || memcmp(bytes + kIdentifierOffset, kIdentifier, 4) != 0) {
        return ERROR_MODEL_IDENTIFIER;
    }
    flatbuffers::Verifier verifier(bytes, size);
    if (!tflite::VerifyModelBuffer(verifier)) {
        return ERROR_MODEL_BOUNDS;
    }
    return tflite::GetModel(file)->version() == TFLITE_SCHEMA_VERSION ? ERROR_NONE : ERROR_MODEL_IDENTIFIER;
}

hil_error_t CheckOperators(const tflite::Model *model, const Resolver &resolver)
{
    const auto *codes = model->operator_codes();
    const auto *subgraphs = model->subgraphs();
    if (codes == nullptr || subgraphs == nullptr || subgraphs->size() != 1) {
        return ERROR_MODEL_GRAPH;
    }
    for (uint32_t i = 0; i < codes->size(); i++) {
        if (resolver.FindOp(codes->Get(i)->builtin_code()) == nullptr) {
            return ERROR_MODEL_OPERATOR;
        }
    }
    return ERROR_NONE;
}

hil_error_t Describe(const TfLiteTensor *tensor, uint32_t *size, element_type_t *type)
{
    if (tensor == nullptr) {
        return ERROR_MODEL_GRAPH;
    }
    switch (tensor->type) {
    case kTfLiteInt8:
        *type = ELEMENT_INT8;
        *size = static_cast<uint32_t>(tensor->bytes);
        return ERROR_NONE;
    case kTfLiteFloat32:
        *type = ELEMENT_FLOAT32;
        *size = static_cast<uint32_t>(tensor->bytes / sizeof(float));
        return ERROR_NONE;
    default:
        return ERROR_MODEL_TYPE;
    }
}

}  // namespace

extern "C" hil_error_t network_load(network_t *network, const void *file, uint32_t size)
{
    network->arena_needed_bytes = 0;
    if (interpreter != nullptr) {
        return ERROR_MODEL_MEMORY;
    }
    hil_error_t error = CheckFile(file, size);
    if (error != ERROR_NONE) {
        return error;
    }
    static Resolver resolver;
    const tflite::Model *model = tflite::GetModel(file);
    if (!AddOperators(&resolver)) {
        return ERROR_MODEL_OPERATOR;
    }
    error = CheckOperators(model, resolver);
    if (error != ERROR_NONE) {
        return error;
    }
    // Made here, on the first call, and never destroyed: the image has no heap and does not end.
    static tflite::MicroInterpreter instance(model, resolver, network->arena, sizeof network->arena);
    // The library does not say why it fails; what it refuses besides too small an arena is rare.
    if (instance.AllocateTensors() != kTfLiteOk) {
        return ERROR_MODEL_MEMORY;
    }
    network->arena_needed_bytes = static_cast<uint32_t>(instance.arena_used_bytes());
    if (instance.inputs_size() != 1 || instance.outputs_size() != 1) {
        return ERROR_MODEL_GRAPH;
    }
    error = Describe(instance.input(0), &network->input_size, &network->input_type);
    if (error == ERROR_NONE) {
        error = Describe(instance.output(0), &network->output_size, &network->output_type);
    }
    if (error == ERROR_NONE) {
        interpreter = &instance;
    }
    return error;
}

extern "C" void network_invoke(const network_t *, const void *input, void *output)
{
    TfLiteTensor *source = interpreter->input(0);
    memcpy(source->data.raw, input, source->bytes);
    bool succeeded = interpreter->Invoke() == kTfLiteOk;
    const TfLiteTensor *target = interpreter->output(0);
    if (succeeded) {
        memcpy(output, target->data.raw, target->bytes);
    } else {
        memset(output, 0, target->bytes);
    }
}
