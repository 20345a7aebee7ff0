// SPDX-License-Identifier: Apache-2.0
// Stand-in for a test: the release that schema_generated.h demands.
#pragma once
#include <cerrno>
#include <string>
#define FLATBUFFERS_VERSION_MAJOR 25
#define FLATBUFFERS_VERSION_MINOR 9
#define FLATBUFFERS_VERSION_REVISION 23
