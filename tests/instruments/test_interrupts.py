# SPDX-License-Identifier: Apache-2.0
import signal

import pytest

from hil.instruments.interrupts import whole_exchange


def test_ctrl_c_waits_for_the_answer_and_is_not_lost():
    done = []
    with pytest.raises(KeyboardInterrupt), whole_exchange():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest of the exchange")
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_exchange_inside_another_ends_with_the_outer_one():
    done = []
    with pytest.raises(KeyboardInterrupt), whole_exchange():
        with whole_exchange():
            signal.raise_signal(signal.SIGINT)
        done.append("the rest of the outer exchange")
    assert done


def test_an_error_inside_is_not_hidden_when_nobody_interrupts():
    with pytest.raises(ValueError, match="from inside"), whole_exchange():
        raise ValueError("from inside")


def test_a_second_ctrl_c_does_not_wait():
    done = []
    with pytest.raises(KeyboardInterrupt), whole_exchange():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append("too late")
    assert not done
