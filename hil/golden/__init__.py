# SPDX-License-Identifier: Apache-2.0
"""The golden model: test signals, integer features, the autoencoder and bit-exact interpreters of it."""
