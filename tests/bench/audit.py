"""Verifying the activity log and its signed heads: against one hash call an entry, and in flat memory."""

import hashlib
import sys
import tracemalloc
from datetime import timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bench.report import Line, report
from tests.bench.stopwatch import in_turns
from tests.bench.world import installation
from tests.factories import NOON
from txt_dashboard.audit.chain import Place
from txt_dashboard.audit.entry import HASHED, digest_of
from txt_dashboard.audit.heads import read_heads, sign_head
from txt_dashboard.audit.verify import verify
from txt_dashboard.models import Activity, ActivityHead
from txt_dashboard.models.activity import detail_text

FEW, MANY = 10_000, 100_000
EVERY = 10  # entries: then a head is signed, as in a fleet that writes ten entries a minute
ROUNDS = 7
ALLOWED = 15
GROWTH = 1.1
KIB = 2**10


class Log:
    """A log of real form, what each entry's digest covers, and the lines of its heads."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.hashed: list[bytes] = []
        self.heads: list[bytes] = []
        self._end = Place()

    def grow_to(self, count: int) -> None:
        """Appends entries, as `record` does, but many at once."""
        rows = [self._append(number) for number in range(self._end.count + 1, count + 1)]
        Activity.objects.bulk_create(rows, batch_size=1000)
        ActivityHead.objects.update_or_create(id=1, defaults={"count": count, "digest": self._end.digest})

    def verify(self) -> None:
        """What the command does, but for reading the heads' file."""
        found = verify(read_heads(self.heads, "heads"), self._signed)
        if (found.entries, found.heads) != (self._end.count, len(self.heads)):
            raise AssertionError(found)

    def hash_alone(self) -> None:
        """One hash call an entry, over what is at hand already."""
        sha256 = hashlib.sha256
        for content in self.hashed:
            sha256(content).hexdigest()

    def _append(self, number: int) -> Activity:
        at = NOON + timedelta(seconds=6.1 * number)
        text = detail_text({"hosts": {"untrusted": 14}, "first": f"az1-{number % 1000:03}", "pools": ["az1"]})
        said = (self._end.digest, number, at, "worker", "states changed", "oat-1", "", None, text)
        digest = digest_of(said)
        self.hashed.append(msgspec.json.encode(said))
        self._end = Place(number, digest)
        if number % EVERY == 0:
            head = sign_head(lambda message: ("key", self.key.sign(message)), at, number, digest)
            self.heads.append(msgspec.json.encode(head) + b"\n")
        return Activity(**dict(zip((*HASHED[:-1], "detail"), said, strict=True)), digest=digest)

    def _signed(self, _key: str, message: bytes, signature: bytes) -> bool:
        self.key.public_key().verify(signature, message)
        return True


def main() -> int:
    """Measures memory first, for a log that grows."""
    with installation():
        log = Log()
        log.grow_to(FEW)
        few = peak(log)
        log.grow_to(MANY)
        many = peak(log)
        work, peer = in_turns(ROUNDS, log.verify, log.hash_alone, lambda: None)
    heads = f"{MANY // EVERY:,} heads"
    return report(
        [
            Line(f"audit verify, {MANY:,} entries, {heads}", work, peer, "one hash call an entry", ALLOWED, "s"),
            Line("  its memory at the most", many / KIB, few / KIB, f"with {FEW:,} entries", GROWTH, "KiB"),
        ]
    )


def peak(log: Log) -> int:
    """Bytes that verifying holds at once, at the most."""
    tracemalloc.start()
    log.verify()
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


if __name__ == "__main__":
    sys.exit(main())
