"""What a proposal would do: 10,000 hosts must cost little more than 1,000 that show the same 200 measurements."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from tests.bench.report import Line, report
from tests.bench.stopwatch import seconds
from tests.bench.world import BETWEEN_POLLS, World, installation

from django.conf import settings  # isort: skip - after the settings
from django.contrib.auth.models import User  # isort: skip
from django.db import connection  # isort: skip
from django.test import Client  # isort: skip
from django.urls import reverse  # isort: skip
from django.utils import timezone  # isort: skip

from tests.bench.fleet import APPROVED
from tests.people import person
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import Role
from txt_dashboard.actions.settle import settle
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.entries import baseline_entry, baseline_id
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline, Part, ReferenceSet
from txt_dashboard.models import Attestation, Host, Measurement
from txt_dashboard.queries.candidates import first_day
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.impact import affected, impact
from txt_dashboard.queries.reference import current_reference

FEW, MANY = 1_000, 10_000
KERNELS = 199
MEASUREMENTS = KERNELS + 1  # all hosts show the same platform
ROUNDS = 15


class Fleet:
    """Hosts in ten pools that boot 199 kernels, one of them approved; their server calls all of them trusted."""

    def __init__(self, hosts: int) -> None:
        self.world = World(hosts, now=timezone.now() - BETWEEN_POLLS)
        self.world.next_poll(lambda number: f"kernel {number % KERNELS}" if number % KERNELS else APPROVED)
        self.world.poll()
        Attestation.objects.update(verdict="trusted")
        settle(set(Host.objects.values_list("id", flat=True)), now=self.world.now)
        if Measurement.objects.count() != MEASUREMENTS:
            raise AssertionError(f"The fleet shows {Measurement.objects.count()} measurements.")

    def open(self) -> None:
        """Makes this fleet the one that is read."""
        self.world.open()
        connection.ensure_connection()

    def propose(self) -> None:
        """Opens the review page of a kernel that a person proposed, in a browser of theirs."""
        approver = person("anna", Role.APPROVER)
        shown = Measurement.objects.filter(part=Part.VMM).exclude(key__in=_approved()).order_by("key").first()
        wanted = {baseline_id(kernel): baseline_entry(kernel) for kernel in [_baseline(shown.key, shown.values)]}
        made = propose(approver, wanted, title="A kernel", reason="It is measured.", now=timezone.now())
        self.browser = Client(SERVER_NAME="127.0.0.1")
        backend = "django.contrib.auth.backends.ModelBackend"
        self.browser.force_login(User.objects.get(pk=approver.user), backend=backend)
        self.page = reverse("proposal", args=[made.pk])

    def look(self) -> None:
        """Asks for the review page."""
        answer = self.browser.get(self.page)
        if answer.status_code != 200 or b"If approved" not in answer.content:
            raise AssertionError(f"{self.page} answered {answer.status_code}.")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed, and how many of 10,000 hosts gain or lose by it."""

    name: str
    reference: ReferenceSet
    change: Change
    hosts: int


def main() -> int:
    """Runs all benches on two fleets."""
    with _fleet(FEW) as few, _fleet(MANY) as many:
        before = current_reference()
        lines = [line for proposal in proposals(before) for line in review(few, many, before, proposal)]
        return report([*lines, first(few, many, before), review_page(few, many)])


def proposals(before: ReferenceSet) -> Iterator[Proposal]:
    """A kernel that one host in 199 shows, all kernels at once, and the end of what all that are trusted rest on."""
    shown = dict(Measurement.objects.filter(part=Part.VMM).values_list("key", "values"))
    kernels = [_baseline(key, values) for key, values in shown.items()]
    approved = [each.values for each in before.baselines]
    new = [each for each in kernels if each.values not in approved]
    of_one, trusted = (sum(number % KERNELS == at for number in range(MANY)) for at in (1, 0))
    yield Proposal("one kernel", replace(before, baselines=(*before.baselines, new[0])), Change.GAINED, of_one)
    yield Proposal("all kernels", replace(before, baselines=(*before.baselines, *new)), Change.GAINED, MANY - trusted)
    kept = tuple(each for each in before.baselines if each.part is Part.VMM)
    yield Proposal("firmware retired", replace(before, baselines=kept), Change.LOST, trusted)


def review(few: Fleet, many: Fleet, before: ReferenceSet, proposal: Proposal) -> Iterator[Line]:
    """One proposal on both fleets."""
    appraiser = Appraiser()
    many.open()
    found = impact(before, proposal.reference, many.world.now, appraiser=appraiser)
    listed = affected(found, proposal.change).count()
    if {**found.counts} != {proposal.change: listed} or abs(listed - proposal.hosts) > 1:
        raise AssertionError(f"{proposal.name}: {found}, {listed} listed")
    times = _in_turns(few, many, lambda fleet: impact(before, proposal.reference, fleet.world.now))
    yield Line(f"impact on {MANY:,} hosts: {proposal.name}", *times, f"on {FEW:,} hosts", 1.5, "s")
    made = appraiser.appraisals
    yield Line("  appraisals that it cost", made, MEASUREMENTS, "distinct measurements", 1, "appraisals")


def first(few: Fleet, many: Fleet, before: ReferenceSet) -> Line:
    """The first day: nothing is approved."""
    nothing = replace(before, baselines=())
    times = _in_turns(few, many, lambda fleet: first_day(nothing, fleet.world.now))
    return Line(f"first day's proposals for {MANY:,} hosts", *times, f"for {FEW:,} hosts", 1.5, "s")


def review_page(few: Fleet, many: Fleet) -> Line:
    """The page that people decide on, whole."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    for fleet in (few, many):
        fleet.open()
        fleet.propose()
    times = _in_turns(few, many, lambda fleet: fleet.look())
    return Line(f"review page, {MANY:,} hosts", *times, f"for {FEW:,} hosts", 1.5, "s")


def _approved() -> list[str]:
    golden = {tuple(sorted(each.values.items())) for each in current_reference().baselines}
    rows = Measurement.objects.filter(part=Part.VMM)
    return [
        row.key for row in rows
        if tuple(sorted((int(index), bytes.fromhex(value)) for index, value in row.values.items())) in golden
    ]  # fmt: skip


def _in_turns(few: Fleet, many: Fleet, work: Callable[[Fleet], object]) -> tuple[float, float]:
    times: dict[int, list[float]] = {FEW: [], MANY: []}
    for _ in range(ROUNDS):
        for fleet in (few, many):
            fleet.open()
            work(fleet)  # opens files, fills the page cache
            times[fleet.world.hosts].append(seconds(lambda fleet=fleet: work(fleet)))
    return median(times[MANY]), median(times[FEW])


def _baseline(key: str, values: dict[str, str]) -> Baseline:
    golden = {int(index): bytes.fromhex(value) for index, value in values.items()}
    return Baseline(f"kernel {key[:12]}", Part.VMM, Bank.SHA1, golden)


@contextmanager
def _fleet(hosts: int) -> Iterator[Fleet]:
    with installation():
        fleet = Fleet(hosts)
        try:
            yield fleet
        finally:
            fleet.open()


if __name__ == "__main__":
    sys.exit(main())
