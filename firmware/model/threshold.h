/* SPDX-License-Identifier: Apache-2.0 */
/* Written by `hil model train`; MODEL_CARD.md says what it stands for. */
#ifndef HIL_THRESHOLD_H
#define HIL_THRESHOLD_H

/* A window is reported if its score, the sum over 32 of (input - output)^2, is greater. */
#define HIL_ANOMALY_THRESHOLD 1258u

#endif
