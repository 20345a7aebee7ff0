// SPDX-License-Identifier: Apache-2.0
// Stand-in for a test: the part of the API that firmware/engine_tflm uses.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "flatbuffers/base.h"

namespace flatbuffers {

class Verifier {
public:
    Verifier(const uint8_t *data, size_t size) : data_(data), size_(size) {}
    const uint8_t *data_;
    size_t size_;
};

template <typename T> class Vector {
public:
    uint32_t size() const { return size_; }
    const T *Get(uint32_t) const { return item_; }
    uint32_t size_;
    const T *item_;
};

}  // namespace flatbuffers
