# SPDX-License-Identifier: Apache-2.0
"""Program messages gone wrong: each leaves an error in the queue or is understood, and none does harm."""

from __future__ import annotations

import random
from typing import Any

import pytest

MESSAGES = (
    b"VOLT 3.3,(@1)",
    b"VOLT? (@1)",
    b"CURR:LIM 0.2,(@1);:OUTP ON,(@1)",
    b"OUTP OFF,(@1)",
    b"SENS:SWE:TINT 5.12e-6,(@1);POIN 1024,(@1)",
    b"SENS:ELOG:FUNC:CURR ON,(@1);:SENS:ELOG:PER 0.001,(@1)",
    b"TRIG:ACQ:SOUR BUS,(@1)",
    b"FORM REAL;FORM:BORD NORM",
    b"STAT:QUES:ENAB 3,(@1);:STAT:QUES:COND? (@1)",
    b"*ESE 60;*SRE 32;*STB?",
    b"EMUL PS2Q,(@1)",
    b'DISP:WIND:STAT "ON"',
    b"SENS:DLOG:FUNC:CURR ON,(@1)",
    b"SENS:DLOG:PER 0.001;TIME 1",
    b'INIT:DLOG "internal:\\a.dlog"',
    b'MMEM:EXP:DLOG "internal:\\a.csv"',
    b'MMEM:DATA? "a.csv"',
    b"OUTP:PROT:WDOG:DEL 3600;:OUTP:PROT:WDOG OFF",
    b"VOLT:PROT:REM 4,(@1);:CURR:PROT:DEL 0.02,(@1)",
)
PIECES = (
    b"(@1:999)",
    b"1e9999",
    b"MIN",
    b'"',
    b"'",
    b"(",
    b"(@",
    b";",
    b":",
    b",",
    b"?",
    b"\x00",
    b"\xff",
    b"#0",
)

BY_HAND = (
    (b"OUTP 1e9999,(@1)", -222),
    (b"VOLT 1e9999,(@1)", -222),
    (b"VOLT 3.3,(@1" + b",0:999" * 1000 + b")", -222),
    (b"VOLT? (@4:1)", -222),
    (b"VOLT 3.3,(@2)", -222),
    (b"VOLT 3.3", -109),
    (b"VOLT 3.3,(@1),1", -108),
    (b"VOLT three,(@1)", -141),
    (b"VOLT 3.3A,(@1)", -131),
    (b"VOLT #15hello,(@1)", -101),
    (b"VLT 3.3,(@1)", -113),
    (b"A:" * 5000 + b"B", -113),
    (b"OUTP ON OFF,(@1)", -101),
    (b"OUTP 'ON,(@1)", -151),
    (b"VOLT 3.3,(@1", -171),
    (b"\xff\xfe", -101),
    (b"\x00", -102),
    (b"VOLT@3", -103),
)


def errors(bench: Any) -> list[str]:
    found = []
    while not (answer := bench.analyzer.execute(b"SYST:ERR?").decode("ascii")).startswith("+0,"):
        found.append(answer.rstrip("\n"))
    return found


@pytest.mark.parametrize(("message", "code"), BY_HAND)
def test_each_mistake_has_its_number(live: Any, message: bytes, code: int) -> None:
    with live.connect("power_analyzer") as client:
        client.sendall(b"*CLS\n" + message.replace(b"\n", b" ") + b"\nSYST:ERR?;:SYST:ERR?\n")
        answer = client.makefile("rb").readline().decode("ascii").rstrip("\n")
    assert answer.endswith(';+0,"No error"'), "one mistake, one error"
    error = answer.removesuffix(';+0,"No error"')
    live.tally("power_analyzer", error.split(",")[0])
    assert int(error.split(",")[0]) == code
    # SCPI-99 volume 2, section 21.8.1: at most 255 characters, in quotes.
    text = error.partition(",")[2]
    assert len(text) <= 257
    assert text.isprintable()


def mutate(source: random.Random, message: bytes) -> bytes:
    data = bytearray(message)
    for _ in range(source.randrange(1, 4)):
        at = source.randrange(len(data) + 1)
        match source.randrange(4):
            case 0:
                del data[at : at + source.randrange(1, 5)]
            case 1:
                data[at:at] = source.choice(PIECES)
            case 2:
                data[at : at + 1] = bytes([source.randrange(256)])
            case 3:
                data[at:at] = data[: source.randrange(len(data) + 1)]
    return bytes(data).replace(b"\n", b"")


@pytest.mark.parametrize("seed", range(4))
def test_mutated_messages(live: Any, seed: int) -> None:
    """The first unit that is a command error ends its line; what was understood before it stands."""
    print("seed", seed)
    source = random.Random(seed)
    analyzer = live.bench.analyzer
    restore = b"*RST;:VOLT 3.0,(@1);:CURR:LIM 0.1,(@1);:OUTP ON,(@1)"
    for _ in range(100):
        message = mutate(source, source.choice(MESSAGES).split(b";")[0])
        before = live.digest()
        analyzer.execute(b"*CLS")
        analyzer.execute(message)
        found = errors(live.bench)
        live.tally("power_analyzer", found[0].split(",")[0] if found else "understood")
        if found and b";" not in message:
            assert live.digest()["output"] == before["output"], message
    analyzer.execute(restore)
    live.bench.advance(0.01)
    assert live.digest()["core"] == live.before["core"]
    # Some mutants are valid and cut the supply: RAM comes back with other contents.
    live.before["memory"][1:] = live.digest()["memory"][1:]
