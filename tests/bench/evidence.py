"""Verifying quotes against what they can't do without: the bare signature check. `python -m tests.bench.evidence`."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.attest.forge import Forge
from txt_dashboard.attest.quote import verify
from txt_dashboard.attest.tpm_types import parse_signature

REGISTERS = range(8)
ROUNDS, TIMES = 200, 100
PARALLEL_ROUNDS, PARALLEL_SECONDS = 3, 2.0

Work = Callable[[], object]


def compare(ours: Work, bare: Work) -> tuple[float, float]:
    """CPU seconds of each, once: the least of many rounds taken in turns, so that neighbours don't count."""
    least = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for which, work in enumerate((ours, bare)):
            start = time.process_time()
            for _ in range(TIMES):
                work()
            least[which] = min(least[which], (time.process_time() - start) / TIMES)
    return least[0], least[1]


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


def work_of(forge: Forge) -> Callable[[], object]:
    """The whole verification of this forge's quote."""
    quote, key, demand = forge.quote(), forge.key(), forge.demand()
    if not verify(quote, key, demand).accepted:
        raise SystemExit("the benchmark's own quote is rejected")
    return lambda: verify(quote, key, demand)


def worker(private: bytes) -> float:
    """Quotes a second of one process, by the clock on the wall."""
    work, done, start = work_of(Forge.of(private)), 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < PARALLEL_SECONDS:
        for _ in range(TIMES):
            work()
        done += TIMES
    return done / elapsed


def processes(count: int, private: bytes) -> float:
    """Quotes a second of `count` processes together."""
    with ProcessPoolExecutor(count) as pool:
        return sum(pool.map(worker, [private] * count))


def row(work: str, ours: float, peer: float, ratio: float, limit: str) -> None:
    """Prints one line: what was done, both rates a second, how many times, and what it must reach."""
    print(f"{work:<34}{ours:>10.0f}{peer:>10.0f}{ratio:>8.2f}x  {limit}")


def main() -> None:
    """Prints work, peer, ratio and limit."""
    rsa = Forge.rsa(registers=REGISTERS)
    for name, forge, limit in (("RSA-2048", rsa, 2.0), ("P-256", Forge.p256(registers=REGISTERS), 1.3)):
        ours, bare = compare(work_of(forge), bare_check(forge))
        limit_text = f"at most {limit} times the bare signature check"
        row(f"{name}, 8 registers, key kept", 1 / ours, 1 / bare, ours / bare, limit_text)
    tries = [(processes(1, rsa.private_bytes), processes(2, rsa.private_bytes)) for _ in range(PARALLEL_ROUNDS)]
    one, two = max(one for one, _ in tries), max(two for _, two in tries)
    row("two processes, one process", two, one, two / one, f"at least 1.7 times ({os.cpu_count()} processors)")


if __name__ == "__main__":
    main()
