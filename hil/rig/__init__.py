# SPDX-License-Identifier: Apache-2.0
"""The bench as a whole: its instruments, the states of its board, its lock, its way down."""

from hil.rig.lock import Wait
from hil.rig.mailbox import Mailbox, MailboxResult
from hil.rig.rig import Rig, open_rig
from hil.rig.states import State

__all__ = ["Mailbox", "MailboxResult", "Rig", "State", "Wait", "open_rig"]
