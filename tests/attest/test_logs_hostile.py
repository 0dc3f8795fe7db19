"""Any bytes: every parser answers or refuses with its own error, in time and memory bounded by the input."""

import struct
import time
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.attest.logbuilder import Record, agile_log, agile_record, container, ima_entry, real_form, sha1_log
from tests.fuzz.targets import exercise_ima, exercise_log
from txt_dashboard.attest.eventlog.log import parse

AGILE = agile_log(*real_form())
SHA1 = sha1_log(*real_form())
IMA = b"".join(ima_entry(f"/{n}", template=template) for n in range(3) for template in ("ima-ng", "ima-sig"))
ASCII = b"10 " + b"0" * 40 + b" ima-sig sha256:00 /a 00\n" + b"10 " + b"1" * 40 + b" ima-ng sha256:00 /b\n"
NUMBERS = st.sampled_from([0, 1, 3, 16, 17, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A real form with a few numbers overwritten, pieces cut out, doubled or exchanged for noise."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 4)))
        size = draw(st.integers(0, 64))
        match draw(st.sampled_from(["number", "cut", "double", "noise", "end"])):
            case "number":
                data[at : at + 4] = struct.pack("<I", draw(NUMBERS))
            case "cut":
                del data[at : at + size]
            case "double":
                data[at:at] = data[at : at + size]
            case "noise":
                data[at : at + size] = draw(st.binary(max_size=64))
            case "end":
                del data[at:]
    return bytes(data)


@settings(deadline=2000)
@given(st.binary(max_size=2000))
@example(b"Spec ID Event03\0")
def test_any_bytes_as_a_log(data: bytes) -> None:
    exercise_log(data)


@settings(deadline=2000, max_examples=300)
@given(mutated((AGILE, SHA1, container(*real_form()), AGILE + bytes(64))))
def test_mutated_logs(data: bytes) -> None:
    exercise_log(data)


@settings(deadline=2000)
@given(
    st.lists(st.tuples(st.integers(0, 23), st.sampled_from([e.kind for e in real_form()]), st.binary(max_size=300)))
)
def test_any_data_under_every_type(events: list[tuple[int, int, bytes]]) -> None:
    exercise_log(agile_log(*(Record(register, kind, data) for register, kind, data in events if kind != 3)))


@settings(deadline=2000, max_examples=300)
@given(mutated(tuple(agile_log(record) for record in real_form())))
def test_mutated_events_one_by_one(data: bytes) -> None:
    exercise_log(data)


@settings(deadline=2000)
@given(st.binary(max_size=1000) | mutated((IMA, ASCII)))
def test_any_bytes_as_an_ima_list(data: bytes) -> None:
    exercise_ima(data)


@pytest.mark.parametrize(
    "data",
    [
        agile_log() + agile_record(Record(4, 4), ("sha1",)) * 5000,
        agile_log(Record(7, 0x80000001, b"\1" * 10**6)),
        sha1_log() + struct.pack("<II20sI", 4, 4, b"x" * 20, 0) * 8000,
        agile_log(*[Record(8, 0xD, b"grub_cmd: " + b"a " * 400000 + b"\0")]),
    ],
)
def test_memory_and_time_are_bounded_by_the_inputs_size(data: bytes) -> None:
    began = time.process_time()
    tracemalloc.start()
    parse(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(data) + 2**20
    exercise_log(data)
    assert time.process_time() - began < 10
