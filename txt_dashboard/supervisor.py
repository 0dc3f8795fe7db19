"""Runs a few programs together: one log, a new start for whatever dies, and all stop when one is told to."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

STEADY_S = 20.0  # whoever lived that long was well, and what it died of is new
MOST_DEATHS = 5  # in a row, each before it was steady
STOP_S = 6.0
LOOK_S = 0.2

Write = Callable[[str, str], None]  # a program's name, and a line of its output


class CannotKeepRunning(Exception):
    """A program dies again and again; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and by which name the log calls it."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[str]
    reader: threading.Thread
    since: float


@dataclass(slots=True)
class _Child:
    program: Program
    running: _Running | None = None
    deaths: int = 0
    start_again_at: float = 0.0


class Supervisor:
    """The programs, from `run` to the signal that ends it."""

    def __init__(self, programs: Sequence[Program], write: Write) -> None:
        self._children = [_Child(program) for program in programs]
        self._write = write
        self._stopping = threading.Event()

    def run(self) -> None:
        """Blocks until `stop` is called; raises `CannotKeepRunning`. No program is left behind."""
        try:
            while not self._stopping.is_set():
                for child in self._children:
                    self._look_after(child)
                self._stopping.wait(LOOK_S)
        finally:
            self._stop_all()

    def stop(self, *_signal: object) -> None:
        """Ends `run`; may be called from a signal handler or another thread."""
        self._stopping.set()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.running is None:
            if now >= child.start_again_at:
                child.running = self._start(child.program)
        elif (status := child.running.process.poll()) is not None:
            _signal(child.running, signal.SIGKILL)  # what it started itself must not outlive it
            lived = now - child.running.since
            child.running = None
            self._mourn(child, _ending(status), lived)

    def _start(self, program: Program) -> _Running:
        # In a session of its own, so that Ctrl-C reaches us alone and we end it in order.
        process = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        reader = threading.Thread(target=self._read, args=(program.name, process), daemon=True)
        reader.start()
        return _Running(process, reader, since=time.monotonic())

    def _mourn(self, child: _Child, ending: str, lived: float) -> None:
        name = child.program.name
        child.deaths = 1 if lived >= STEADY_S else child.deaths + 1
        if child.deaths >= MOST_DEATHS:
            raise CannotKeepRunning(f"{name} {ending}, {child.deaths} times in a row. Its lines above say why.")
        delay = 2.0 ** (child.deaths - 1)
        child.start_again_at = time.monotonic() + delay
        self._write("run", f"{name} {ending}; it is started again in {delay:.0f} s.")

    def _read(self, name: str, process: subprocess.Popen[str]) -> None:
        with process:
            try:
                for line in process.stdout or ():
                    if text := line.rstrip():
                        self._write(name, text)
            except OSError:
                self.stop()  # nobody reads our output any more

    def _stop_all(self) -> None:
        running = [child.running for child in self._children if child.running is not None]
        for each in running:
            _signal(each, signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for each in running:
            try:
                each.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(each, signal.SIGKILL)
                each.process.wait()
            each.reader.join(1.0)


def _signal(running: _Running, number: signal.Signals) -> None:
    """To the program and to all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.process.pid, number)


def _ending(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
