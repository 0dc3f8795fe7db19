"""axe-core, which finds what keeps people from using a page. Fetched once, held against its pinned hash."""

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

VERSION = "4.14.1"
SHA512 = (
    "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73"
    "4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5"
)
CACHE = Path(__file__).parent / ".cache"


def source() -> str:
    """The script as browsers take it; fails where it can't be had, or is not the one that was pinned."""
    archive = CACHE / f"axe-core-{VERSION}.tgz"
    if not archive.exists():
        _fetch()
    digest = hashlib.sha512(archive.read_bytes()).hexdigest()
    assert digest == SHA512, f"{archive} is not the axe-core {VERSION} that was pinned: its SHA-512 is {digest}."
    with tarfile.open(archive) as files:
        script = files.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


def _fetch() -> None:
    npm = shutil.which("npm")
    assert npm, f"npm is missing: it fetches axe-core {VERSION}. Debian's package npm brings it."
    CACHE.mkdir(exist_ok=True)
    command = [npm, "pack", f"axe-core@{VERSION}", "--silent", "--ignore-scripts", "--pack-destination", str(CACHE)]
    done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, f"npm could not fetch axe-core {VERSION}: {done.stderr.strip()}"
