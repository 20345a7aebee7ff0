// SPDX-License-Identifier: Apache-2.0
// Stand-in for a test: the part of the API that firmware/engine_tflm uses.
#pragma once
#include "flatbuffers/flatbuffers.h"

static_assert(FLATBUFFERS_VERSION_MAJOR == 25 && FLATBUFFERS_VERSION_MINOR == 9 && FLATBUFFERS_VERSION_REVISION == 23,
              "another release of FlatBuffers");

#define TFLITE_SCHEMA_VERSION (3)

namespace tflite {

enum BuiltinOperator : int32_t { BuiltinOperator_FULLY_CONNECTED = 9 };

struct OperatorCode {
    BuiltinOperator builtin_code() const { return BuiltinOperator_FULLY_CONNECTED; }
};

struct SubGraph {};

struct Model {
    uint32_t version() const { return TFLITE_SCHEMA_VERSION; }
    const flatbuffers::Vector<OperatorCode> *operator_codes() const;
    const flatbuffers::Vector<SubGraph> *subgraphs() const;
};

const Model *GetModel(const void *buffer);
bool VerifyModelBuffer(flatbuffers::Verifier &verifier);

}  // namespace tflite
