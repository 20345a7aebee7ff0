# SPDX-License-Identifier: Apache-2.0
"""What a run leaves behind: one folder with the bench, the journal, the waveforms and the verdicts."""
