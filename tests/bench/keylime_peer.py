"""Keylime as a peer: its own check of a quote, in a virtual environment of its own, asked over a pipe.

The environment (`.venv-keylime`) is made from the locked `keylime.txt` where it is missing; that needs the network.
"""

import base64
import json
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.attest.forge import Forge

HERE = Path(__file__).parent
HOME = HERE.parent.parent / ".venv-keylime"
LOCKED = HERE / "keylime.txt"
_MOST_BANKS, _DIGESTS_A_LIST, _LONGEST_DIGEST = 16, 8, 64


class Keylime:
    """A process that checks one quote as often as it is told to; a context manager."""

    name = "Keylime 7.14.3"

    def __init__(self, forge: Forge) -> None:
        python = _environment()
        command = [str(python), "-W", "ignore", str(HERE / "keylime_check.py")]
        self._process = subprocess.Popen(
            command, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        if self._ask(json.dumps(_task(forge))) != "ready":
            raise SystemExit("Keylime rejects the benchmark's own quote.")

    def microseconds(self, calls: int, *, quiet: bool = False) -> float:
        """CPU microseconds of one check, over one round; `quiet` switches off what it logs as it is delivered."""
        return float(self._ask(f"{calls} quiet" if quiet else str(calls)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stdin.close()
        self._process.wait(10)

    def _ask(self, line: str) -> str:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


def _environment() -> Path:
    """The Python that has Keylime; makes the environment where it is missing or another was locked."""
    python, mark = HOME / "bin" / "python", HOME / "installed.txt"
    if mark.exists() and mark.read_bytes() == LOCKED.read_bytes():
        return python
    print(f"Installing Keylime into {HOME.name}; this needs the network, once.", flush=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
        pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--only-binary=:all:", "--require-hashes", "-r", LOCKED], check=True)
    except subprocess.CalledProcessError:
        raise SystemExit("Keylime could not be installed: is the package index within reach?") from None
    packages = sysconfig.get_path("purelib", vars={"base": str(HOME)})
    # Keylime imports gpg, which no index has as a wheel, to check signed policies; there are none here.
    (Path(packages) / "gpg.py").write_text('"""Empty: no signed policy is checked."""\n')
    mark.write_bytes(LOCKED.read_bytes())
    return python


def _task(forge: Forge) -> dict[str, object]:
    """What Keylime's verifier would have at hand: the registrar's key, the nonce, the agent's quote, the policy."""
    quote = forge.quote()
    (registers,) = quote.reported.values()
    parts = (quote.message, quote.signature, _tpm2_tools_blob(registers))
    return {
        "key": base64.b64encode(forge.area).decode(),
        "nonce": forge.nonce.decode(),
        "quote": "r" + ":".join(base64.b64encode(part).decode() for part in parts),
        "policy": {str(index): [value.hex()] for index, value in registers.items()}
        | {"mask": hex(sum(1 << index for index in registers))},
    }


def _tpm2_tools_blob(registers: dict[int, bytes]) -> bytes:
    """SHA-256 values as tpm2-tools writes them from memory: TPML_PCR_SELECTION, then TPML_DIGESTs, little-endian."""
    selected = sum(1 << index for index in registers).to_bytes(3, "little")
    selection = struct.pack("<IHB3s2x", 1, 0x0B, 3, selected) + bytes(8) * (_MOST_BANKS - 1)
    values = [value for _, value in sorted(registers.items())]
    lists = [values[at : at + _DIGESTS_A_LIST] for at in range(0, len(values), _DIGESTS_A_LIST)]
    blob = selection + struct.pack("<I", len(lists))
    for each in lists:
        blob += struct.pack("<I", len(each))
        for value in each + [b""] * (_DIGESTS_A_LIST - len(each)):
            blob += struct.pack("<H", len(value)) + value.ljust(_LONGEST_DIGEST, b"\0")
    return blob
