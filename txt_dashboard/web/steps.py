"""An appraisal as a list of steps, each with its outcome, in the person's language."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext, ngettext

from txt_dashboard.attest.appraisal import Freshness, Outcome, PartAppraisal
from txt_dashboard.attest.evidence import IMPOSSIBLE_DATES, Evidence, Verdict
from txt_dashboard.attest.pcr import DRTM_REGISTERS, Launch
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Part
from txt_dashboard.queries.host import Testimony
from txt_dashboard.templatetags.trust import reason


class Mark(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it found, in a few words, a moment that ends these words, and the detail."""

    mark: Mark
    title: str
    detail: str = ""
    moment: datetime | None = None


def steps(testimony: Testimony) -> Iterator[Step]:
    """All steps in the order in which they are taken; each is shown, whatever the others found."""
    yield _freshness(testimony)
    if testimony.evidence is None:
        return
    yield _date(testimony)
    yield _values(testimony)
    yield _verdict(testimony.evidence.verdict, testimony.attestation.server.name)
    if testimony.rules is None:
        yield Step(Mark.OPEN, gettext("Nothing to compare with"), reason(Reason.NO_POLICY.code))
    for part in testimony.parts:
        yield _part(part)
    yield _launch(testimony)


def _freshness(testimony: Testimony) -> Step:
    ends = testimony.attestation.valid_until
    silence = _sentence(testimony.silence, testimony)
    if testimony.freshness is Freshness.FRESH:
        return Step(Mark.PASSED, gettext("Evidence is fresh until"), moment=ends)
    if testimony.freshness is Freshness.NEVER:
        return Step(Mark.OPEN, gettext("No evidence that counts"), silence or gettext("None has come yet."))
    return Step(Mark.FAILED, gettext("Evidence ran out at"), silence, ends)


def _date(testimony: Testimony) -> Step:
    finding = _finding(testimony.evidence)
    if finding is not None and finding.reason in IMPOSSIBLE_DATES:
        return Step(Mark.FAILED, gettext("Its date can't be true"), _sentence(finding, testimony))
    ahead = testimony.attestation.server.ahead_s
    detail = gettext("the server's clock is %(seconds).0f s ahead") % {"seconds": ahead} if ahead >= 1 else ""
    return Step(Mark.PASSED, gettext("Its date is possible"), detail)


def _values(testimony: Testimony) -> Step:
    finding = _finding(testimony.evidence)
    count = sum(len(values) for values in testimony.registers.values())
    if finding is not None and finding.reason not in IMPOSSIBLE_DATES:
        return Step(Mark.FAILED, gettext("Its values can't be used"), _sentence(finding, testimony))
    if not count:
        return Step(Mark.OPEN, gettext("No register values came with it"))
    title = ngettext("%(count)d register value came with it", "%(count)d register values came with it", count)
    return Step(Mark.PASSED, title % {"count": count}, ", ".join(bank.upper() for bank, _ in testimony.banks))


def _verdict(verdict: Verdict, server: str) -> Step:
    named = {"server": server}
    if verdict is Verdict.TRUSTED:
        return Step(Mark.PASSED, gettext("%(server)s says trusted") % named)
    if verdict is Verdict.UNTRUSTED:
        return Step(Mark.FAILED, gettext("%(server)s says untrusted") % named)
    return Step(Mark.OPEN, gettext("%(server)s gives no verdict") % named)


def _part(appraisal: PartAppraisal) -> Step:
    part = {Part.PLATFORM: gettext("Platform"), Part.VMM: gettext("VMM")}[appraisal.part]
    named = {"part": part, "baseline": appraisal.baseline.name if appraisal.baseline else ""}
    because = _sentence(appraisal.finding)
    if appraisal.outcome is Outcome.MATCHES:
        registers = ", ".join(map(str, appraisal.excused))
        detail = gettext("register %(registers)s by its events") % {"registers": registers} if registers else ""
        return Step(Mark.PASSED, gettext("%(part)s matches %(baseline)s") % named, detail)
    if appraisal.outcome is Outcome.UNDETERMINED:
        return Step(Mark.OPEN, gettext("%(part)s can't be compared") % named, because)
    if appraisal.baseline is None or (appraisal.finding and appraisal.finding.reason is Reason.NOT_LAUNCHED):
        return Step(Mark.FAILED, gettext("%(part)s shows no measured launch") % named)
    registers = ", ".join(str(each.index) for each in appraisal.differences)
    title = gettext("%(part)s differs from %(baseline)s") % named
    return Step(Mark.FAILED, title, gettext("in %(registers)s") % {"registers": registers})


def _launch(testimony: Testimony) -> Step:
    if testimony.launch is Launch.LAUNCHED:
        return Step(Mark.PASSED, gettext("A measured launch happened"))
    if testimony.launch is Launch.UNKNOWN:
        detail = gettext("registers 17 to 22 are not all shown")
        return Step(Mark.OPEN, gettext("Measured launch unknown"), detail)
    required = any(row.index in DRTM_REGISTERS for row in testimony.required)
    mark = Mark.FAILED if required else Mark.OPEN
    return Step(mark, gettext("No measured launch happened"), gettext("registers 17 to 22 hold only ff"))


def _finding(evidence: Evidence | None) -> Finding | None:
    return evidence.finding if evidence else None


def _sentence(finding: Finding | None, testimony: Testimony | None = None) -> str:
    if finding is None:
        return ""
    server = testimony.attestation.server.name if testimony else ""
    return reason(finding.reason.code, finding.params, server)
