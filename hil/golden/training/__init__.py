# SPDX-License-Identifier: Apache-2.0
"""Makes the anomaly detector from windows: a network, a threshold and a card that says how good it is."""
