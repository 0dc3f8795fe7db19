"""Programs that run together: one log, restarts, and an end that leaves nobody behind."""

import sys
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from txt_dashboard import supervisor
from txt_dashboard.supervisor import CannotKeepRunning, Program, Supervisor


def python(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code))


class Log:
    """Lines as they come; a test can wait for one."""

    def __init__(self):
        self.lines: list[str] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append(f"{name}: {line}")

    def wait_for(self, text: str) -> str:
        wait_until(lambda: any(text in line for line in self.lines))
        return next(line for line in self.lines if text in line)


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def run(log):
    """Supervisors in threads, stopped at the end."""
    started = []

    def run(*programs: Program) -> tuple[Supervisor, threading.Thread]:
        together = Supervisor(programs, log)
        thread = threading.Thread(target=together.run)
        thread.start()
        started.append((together, thread))
        return together, thread

    yield run
    for together, thread in started:
        together.stop()
        thread.join(20)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_all_output_comes_by_name_and_line(run, log):
    run(
        python("one", "import time; print('a\\n\\nb', flush=True); time.sleep(60)"),
        python("two", "import os, time; os.write(2, b'caf\\xe9\\n'); time.sleep(60)"),
    )
    log.wait_for("one: a")
    log.wait_for("one: b")
    log.wait_for("two: caf\ufffd")
    assert len(log.lines) == 3


def test_what_dies_is_started_again_after_a_while(run, log):
    run(python("one", "import sys; print('here', flush=True); sys.exit(3)"))
    log.wait_for("run: one ended with exit status 3; it is started again in 1 s.")
    log.wait_for("run: one ended with exit status 3; it is started again in 2 s.")
    assert log.lines.count("one: here") == 2


def test_what_dies_by_a_signal_is_said_so_and_takes_its_own_children_along(run, log):
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('child', child.pid, flush=True)\n"
        "time.sleep(0.3); os.kill(os.getpid(), 9)\n"
    )
    run(python("one", code))
    log.wait_for("one was ended by SIGKILL")
    pid = int(log.wait_for("one: child").split()[-1])
    wait_until(lambda: not alive(pid))


def test_what_dies_again_and_again_ends_all(log, monkeypatch):
    monkeypatch.setattr(supervisor, "MOST_DEATHS", 2)
    steady = python("two", "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)")
    with pytest.raises(CannotKeepRunning, match="one ended with exit status 1, 2 times in a row"):
        Supervisor([python("one", "raise SystemExit(1)"), steady], log).run()
    assert not alive(int(log.wait_for("two: pid").split()[-1]))


def test_whoever_was_steady_before_it_died_begins_anew(run, log, monkeypatch):
    monkeypatch.setattr(supervisor, "STEADY_S", 0.0)
    run(python("one", "raise SystemExit(1)"))
    wait_until(lambda: sum("in 1 s" in line for line in log.lines) >= 2)


def test_stop_ends_even_who_does_not_listen(run, log, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_S", 0.5)
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('pid', os.getpid(), flush=True); time.sleep(60)"
    )
    together, thread = run(python("deaf", code))
    pid = int(log.wait_for("deaf: pid").split()[-1])
    together.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert not alive(pid)


def test_an_output_that_is_closed_stops_all():
    def closed(_name: str, _line: str) -> None:
        raise BrokenPipeError

    Supervisor([python("one", "import time; print('a', flush=True); time.sleep(60)")], closed).run()
