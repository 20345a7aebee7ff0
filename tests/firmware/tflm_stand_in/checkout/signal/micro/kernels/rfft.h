// SPDX-License-Identifier: Apache-2.0
// Stand-in for a test: the resolver's header includes this one, which lies outside tensorflow/.
#pragma once
