"""Verifying quotes: against the bare signature check, against Keylime's own check, and by two processes."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.attest.forge import Forge
from tests.bench.keylime_peer import Keylime
from tests.bench.loops import Work, least, microseconds
from tests.bench.report import Line, report
from txt_dashboard.attest.quote import verify
from txt_dashboard.attest.tpm_types import parse_signature

REGISTERS = range(8)
ROUNDS, CALLS = 150, 50
KEYLIME_ROUNDS = 30
PARALLEL_ROUNDS, PARALLEL_SECONDS = 3, 1.0
BUSY = 0.95  # of a processor: with less, other programs were in the way
TOGETHER = 1.7  # times what one process verifies


def main() -> int:
    """Prints the lines; the exit status."""
    return report(_lines())


def _lines() -> Iterator[Line]:
    rsa, p256 = Forge.rsa(registers=REGISTERS), Forge.p256(registers=REGISTERS)
    for name, forge, allowed in (("RSA-2048", rsa, 2.0), ("P-256", p256, 1.3)):
        ours, bare = least(ROUNDS, CALLS, work_of(forge), bare_check(forge))
        yield Line(f"a quote, {name}, key kept", ours, bare, "bare check by cryptography", allowed, "µs")
    yield against_keylime(rsa.but(nonce=b"20 letters, no bytes"))
    yield from two_processes(rsa)


def bare_check(forge: Forge) -> Work:
    """Only what nobody can do without: the signature checked by `cryptography`, with the key object kept.

    A TPM gives r and s, `cryptography` takes DER: turning one into the other is part of it.
    """
    quote, public = forge.quote(), forge.key().public
    values = parse_signature(quote.signature).values
    if isinstance(public, ec.EllipticCurvePublicKey):
        r, s = (int.from_bytes(value, "big") for value in values)
        scheme = ec.ECDSA(hashes.SHA256())
        return lambda: public.verify(encode_dss_signature(r, s), quote.message, scheme)
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
    return lambda: public.verify(values[0], quote.message, pkcs1, sha256)


def work_of(forge: Forge) -> Work:
    """The whole verification of this forge's quote."""
    quote, key, demand = forge.quote(), forge.key(), forge.demand()
    if not verify(quote, key, demand).accepted:
        raise SystemExit("the benchmark's own quote is rejected")
    return lambda: verify(quote, key, demand)


def against_keylime(forge: Forge) -> Line:
    """The same quote, by us and by Keylime: signature, nonce, registers, and the policy on their values.

    Keylime is judged as it is delivered: it logs each register at level INFO, to nowhere here.
    """
    ours = theirs = silent = float("inf")
    work = work_of(forge)
    with Keylime(forge) as keylime:
        for _ in range(KEYLIME_ROUNDS):
            ours, theirs = min(ours, microseconds(work, CALLS)), min(theirs, keylime.microseconds(CALLS))
            silent = min(silent, keylime.microseconds(CALLS, quiet=True))
    print(f"not judged: {keylime.name} takes {silent:.1f} µs where its logging, on as delivered, is switched off")
    return Line("the same quote, RSA-2048", ours, theirs, f"{keylime.name}, its check and policy", 0.25, "µs")


def two_processes(forge: Forge) -> Iterator[Line]:
    """Time for each quote, by the clock on the wall; not judged where the machine has no two processors to give."""
    private = forge.private_bytes
    tries = [(_together(1, private), _together(2, private)) for _ in range(PARALLEL_ROUNDS)]
    (one, _), (two, given) = (max(rates) for rates in zip(*tries, strict=True))
    if given < 2 * BUSY:
        print(
            f"not judged: two processes were given {given:.1f} processors and verified {two / one:.2f} times as many"
        )
        return
    yield Line("a quote, by two processes", 1e6 / two, 1e6 / one, "by one process", 1 / TOGETHER, "µs")


def _together(count: int, private: bytes) -> tuple[float, float]:
    """Quotes a second of `count` processes, and how many processors they were given."""
    with ProcessPoolExecutor(count) as pool:
        rates, given = zip(*pool.map(_rate, [private] * count), strict=True)
    return sum(rates), sum(given)


def _rate(private: bytes) -> tuple[float, float]:
    """Quotes a second of this process, and its part of a processor."""
    work, done, began, used = work_of(Forge.of(private)), 0, time.perf_counter(), time.process_time()
    while (elapsed := time.perf_counter() - began) < PARALLEL_SECONDS:
        for _ in range(CALLS):
            work()
        done += CALLS
    return done / elapsed, (time.process_time() - used) / elapsed


if __name__ == "__main__":
    sys.exit(main())
