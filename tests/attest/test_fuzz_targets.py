"""Every reader of untrusted bytes, run over any bytes: its own error or an answer, in memory bounded by the input.

The same targets that `make fuzz` runs with a fuzzer that looks at coverage.
"""

import importlib
import inspect
import pkgutil
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attest.test_logs_hostile import mutated
from tests.fuzz import targets
from tests.fuzz.targets import TARGETS
from txt_dashboard import attest

LARGE = 64 * 1024  # bytes
ALWAYS = 2 * 1024 * 1024  # bytes that a reader may take whatever the input: other logs to compare with, caches


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_taken(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].exercise(seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(deadline=5000, max_examples=60)
@given(data=st.data())
def test_any_bytes_and_any_change_of_real_ones(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    target.exercise(data.draw(st.binary(max_size=600) | mutated(target.seeds)))


def large(seed: bytes) -> list[bytes]:
    """Inputs of one size: the seed over and over, its end over and over, and what many lengths and counts are."""
    again = seed * (LARGE // len(seed) + 1)
    tail = seed + seed[-40:] * (LARGE // len(seed[-40:]))
    return [again[:LARGE], tail[:LARGE], (seed + b"\0" * LARGE)[:LARGE], (seed + b"\xff" * LARGE)[:LARGE]]


@pytest.mark.parametrize("name", TARGETS)
def test_memory_and_time_are_bounded_by_the_inputs_size(name: str) -> None:
    for seed in TARGETS[name].seeds:
        for data in large(seed):
            tracemalloc.start()
            began = time.process_time()
            try:
                TARGETS[name].exercise(data)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak < TARGETS[name].a_byte * len(data) + ALWAYS, f"{peak / len(data):.0f} bytes a byte"
            assert time.process_time() - began < 20


def test_every_parser_is_a_target() -> None:
    used = inspect.getsource(targets)
    modules = [
        importlib.import_module(each.name) for each in pkgutil.walk_packages(attest.__path__, "txt_dashboard.attest.")
    ]
    parsers = {
        name
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if name.startswith(("parse", "load_")) and function.__module__ == module.__name__
    }
    of_text = {"parse_index", "parse_value"}  # of one register, which parse_registers reads with
    assert {name for name in parsers - of_text if name not in used} == set()
