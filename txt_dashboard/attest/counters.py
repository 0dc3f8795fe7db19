"""What a TPM's counters and clock tell, compared with the last quote that the same key signed.

Source: TPM 2.0 Library part 1, revision 1.38, section 36 (timing components): resetCount rises at each TPM reset,
restartCount at each resume and each measured launch until the next reset, the clock always, except that it may go
back after a loss of power, which `safe` = no announces. Both counts carry a constant offset for some keys, so only
differences modulo 2^32 are meaningful.
"""

from txt_dashboard.attest.steps import StepFinding, StepReason
from txt_dashboard.attest.tpm_types import Counters

_MODULUS = 1 << 32

# A TPM can't show these by itself: someone put back its state, or it is not the TPM it was.
ROLLED_BACK = frozenset(
    {StepReason.COUNTERS_RESET_FELL, StepReason.COUNTERS_RESTART_FELL, StepReason.COUNTERS_CLOCK_STOOD}
)


def judge(last: Counters | None, now: Counters, *, safe: bool) -> tuple[StepFinding, ...]:
    """What happened between two quotes of one key; `last` is `None` for the first. Never empty, never a failure."""
    findings = StepReason.COUNTERS_FIRST.alone if last is None else (_compare(last, now, safe=safe),)
    return findings if safe else findings + StepReason.COUNTERS_UNSAFE.alone


def _compare(last: Counters, now: Counters, *, safe: bool) -> StepFinding:
    resets = _rise(last.reset_count, now.reset_count)
    restarts = _rise(last.restart_count, now.restart_count)
    if resets < 0:
        return _times(StepReason.COUNTERS_RESET_FELL, -resets)
    if resets == 0 and restarts < 0:
        return _times(StepReason.COUNTERS_RESTART_FELL, -restarts)
    if now.clock <= last.clock and (resets == 0 or safe):
        return StepFinding(StepReason.COUNTERS_CLOCK_STOOD)
    if resets:
        return _times(StepReason.COUNTERS_RESET, resets)
    return _times(StepReason.COUNTERS_RESTARTED, restarts) if restarts else StepFinding(StepReason.COUNTERS_STEADY)


def _rise(last: int, now: int) -> int:
    """How far a 32-bit counter rose; negative where going back is the shorter way round."""
    forward = (now - last) % _MODULUS
    return forward if forward < _MODULUS // 2 else forward - _MODULUS


def _times(reason: StepReason, times: int) -> StepFinding:
    return StepFinding(reason, {"times": str(times)})
