// SPDX-License-Identifier: Apache-2.0
// Stand-in for a test: included by a name that is relative to ruy's own folder.
#pragma once
