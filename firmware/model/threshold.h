/* SPDX-License-Identifier: Apache-2.0 */
/* Written by `python -m hil.golden.train`; model_card.json has the rule. */
#ifndef HIL_THRESHOLD_H
#define HIL_THRESHOLD_H

/* A window is reported if its score, the sum over 32 of (input - output)^2, is greater. */
#define HIL_ANOMALY_THRESHOLD 1353u

#endif
