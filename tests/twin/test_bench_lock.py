# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from hil.twin.bench_lock import BenchLock


@pytest.fixture
def lock() -> BenchLock:
    return BenchLock()


def test_a_thread_that_takes_it_in_turns_lets_the_others_in(lock: BenchLock) -> None:
    """Where the others never get it, the greedy thread works for ever, and this test with it."""
    stop = threading.Event()
    turns = 0

    def greedy() -> None:
        nonlocal turns
        while not stop.is_set():
            with lock:
                turns += 1
                sum(range(2000))

    thread = threading.Thread(target=greedy)
    thread.start()
    for _ in range(50):
        with lock:
            pass
    stop.set()
    thread.join()
    assert turns


def test_its_holder_may_take_it_again_and_others_may_not(lock: BenchLock) -> None:
    with lock, lock:
        assert lock.acquire()
        lock.release()
        found: list[bool] = []
        thread = threading.Thread(target=lambda: found.append(lock.acquire(timeout=0.01)))
        thread.start()
        thread.join()
        assert found == [False]
    thread = threading.Thread(target=lambda: found.append(lock.acquire()))
    thread.start()
    thread.join()
    assert found == [False, True]
