"""No sequence of proposals, edits, decisions, role changes, linked accounts and clock jumps puts anything in force
without its quorum. The machine keeps books of its own and counts by them."""

import contextlib
import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.actions.governance.examples import KERNEL, WORDS, wants
from tests.factories import NOON, value
from tests.people import LONG_AGO, PASSWORD, say_yes
from tests.rows import make_server, write_reference
from txt_dashboard.actions.accounts import add_account, set_active, set_roles
from txt_dashboard.actions.governance.accounts import link_accounts, unlink_account
from txt_dashboard.actions.governance.decide import reject
from txt_dashboard.actions.governance.propose import edit, propose, withdraw
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.permissions import COMMAND_LINE, ActionError, Actor, Role
from txt_dashboard.attest.entries import baseline_id
from txt_dashboard.models import Proposal
from txt_dashboard.queries.in_force import in_force

NAMES = ("anna", "ben", "carl", "dora")
DAY = timedelta(hours=24)
KERNELS = tuple(replace(KERNEL, name=f"VMM {at}", values={17: value("17"), 18: value(f"{at}")}) for at in range(2, 5))

SIGNED: set[int] = set()  # proposals that came into force: a machine in which none does proves nothing

names = st.sampled_from(NAMES)
kernels = st.sampled_from(KERNELS)


@dataclass
class Books:
    """What the machine itself knows of an account."""

    person: int
    since: datetime | None = LONG_AGO
    active: bool = True


@dataclass
class Page:
    """What it knows of a proposal."""

    kernel: str
    proposer: str
    open: bool = True
    yes: list[tuple[str, str, datetime]] = field(default_factory=list)  # who, to what, when


class Governance(RuleBasedStateMachine):
    """Random people at work."""

    @initialize()
    def begin(self) -> None:
        self.stack = contextlib.ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.stack.enter_context(
            override_settings(
                TXT_SIGNING_KEY_FILE=folder / "signing.key",
                TXT_PUBLIC_KEYS_FILE=folder / "signing.pub",
                TXT_FLOOR_FILE=folder / "floor",
                TXT_SETS_DIR=folder / "sets",
                PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
            )
        )
        self.stack.enter_context(transaction.atomic())
        self.now = NOON
        self.books = {name: Books(person=at) for at, name in enumerate(NAMES)}
        self.pages: dict[int, Page] = {}
        for name in NAMES:
            add_account(COMMAND_LINE, name, [Role.APPROVER], PASSWORD, now=LONG_AGO)
        write_reference(make_server(), ())

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            transaction.set_rollback(True)
            self.stack.close()

    # --- What people do

    @rule(name=names, kernel=kernels)
    def proposes(self, name: str, kernel) -> None:
        with contextlib.suppress(ActionError):
            made = propose(self.actor(name), wants(kernel), **WORDS, now=self.now)
            self.pages[made.pk] = Page(kernel.name, name)

    @precondition(lambda self: self.open_ones())
    @rule(name=names, data=st.data(), kernel=kernels)
    def edits(self, name: str, data, kernel) -> None:
        if proposal := self.some(data):
            with contextlib.suppress(ActionError):
                seen = proposal.content_hash
                edit(self.actor(name), proposal.pk, wants(kernel), **WORDS, content_hash=seen, now=self.now)
                self.pages[proposal.pk].kernel = kernel.name

    @precondition(lambda self: self.open_ones())
    @rule(
        several=st.lists(names, min_size=1, max_size=3, unique=True),
        data=st.data(),
        first_is_new=st.sampled_from([False, False, False, True]),
        then=st.sampled_from(["nothing", "sign", "edit and sign"]),
    )
    def approve(self, several: list[str], data, first_is_new: bool, then: str) -> None:
        if proposal := self.some(data):
            if first_is_new:
                self.administration(several[0], several[0], "unlink")
            for name in several:
                with contextlib.suppress(ActionError):
                    say_yes(self.actor(name), proposal, self.now)
                    page = self.pages[proposal.pk]
                    page.yes.append((name, page.kernel, self.now))
            if then == "edit and sign":
                self.edits(self.pages[proposal.pk].proposer, data, data.draw(kernels))
            if then != "nothing":
                self.signs()

    @precondition(lambda self: self.open_ones())
    @rule(name=names, data=st.data(), withdraws=st.booleans())
    def ends(self, name: str, data, withdraws: bool) -> None:
        if proposal := self.some(data):
            with contextlib.suppress(ActionError):
                if withdraws:
                    withdraw(self.actor(name), proposal.pk, reason="No.", now=self.now)
                else:
                    seen = proposal.content_hash
                    reject(self.actor(name), proposal.pk, reason="No.", content_hash=seen, now=self.now)
                self.pages[proposal.pk].open = False

    # --- What administrators do, and what time does

    @rule(name=names, other=names, act=st.sampled_from(["promote", "demote", "disable", "enable", "link", "unlink"]))
    def administration(self, name: str, other: str, act: str) -> None:
        book = self.books[name]
        match act:
            case "promote" | "demote":
                set_roles(
                    COMMAND_LINE, name, [Role.APPROVER if act == "promote" else Role.ADMINISTRATOR], now=self.now
                )
                book.since = (book.since or self.now) if act == "promote" else None
            case "disable" | "enable":
                set_active(COMMAND_LINE, name, active=act == "enable", now=self.now)
                book.active = act == "enable"
            case "link":
                link_accounts(COMMAND_LINE, name, other, now=self.now)
                gone = self.books[other].person
                for each in self.books.values():
                    each.person = book.person if each.person == gone else each.person
            case _:
                unlink_account(COMMAND_LINE, name, now=self.now)
                book.person = max(each.person for each in self.books.values()) + 1
                book.since = self.now if book.since else None

    @rule(hours=st.sampled_from([-30, -1, 1, 23, 25]))
    def clock_jumps(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    # --- What the worker does

    @precondition(lambda self: self.open_ones())
    @rule()
    def signs(self) -> None:
        before = set(in_force().set.entries)
        due = {id_: page for id_, page in self.pages.items() if page.open and self.enough(page)}
        sign_due(self.now)
        added = set(in_force().set.entries) - before
        by_id = {baseline_id(kernel): kernel.name for kernel in KERNELS}
        assert {by_id[id_] for id_ in added} <= {page.kernel for page in due.values()}
        for proposal in Proposal.objects.filter(pk__in=self.pages, state="in force"):
            page = self.pages[proposal.pk]
            assert not page.open or proposal.pk in due
            page.open = False
            SIGNED.add(len(SIGNED))

    @invariant()
    def the_set_is_sound(self) -> None:
        if hasattr(self, "stack"):
            assert in_force().refused == ""

    # --- The books

    def enough(self, page: Page) -> bool:
        proposer = self.books[page.proposer].person
        persons = set()
        for name, kernel, at in page.yes:
            book = self.books[name]
            old_enough = book.since is not None and at - book.since >= DAY
            if book.active and old_enough and kernel == page.kernel and book.person != proposer:
                persons.add(book.person)
        return len(persons) >= 2

    def actor(self, name: str) -> Actor:
        user = User.objects.get(username=name)
        roles = frozenset(Role(group.name) for group in user.groups.all())
        return Actor(name, roles, user=user.pk)

    def some(self, data) -> Proposal | None:
        open_ones = self.open_ones()
        return Proposal.objects.get(pk=data.draw(st.sampled_from(open_ones))) if open_ones else None

    def open_ones(self) -> list[int]:
        return [id_ for id_, page in getattr(self, "pages", {}).items() if page.open]


@pytest.mark.timeout(300)
def test_nothing_comes_into_force_without_its_quorum(db) -> None:
    assert django_settings.TXT_QUORUM == 2
    quick = settings(
        max_examples=40,
        stateful_step_count=40,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    SIGNED.clear()
    run_state_machine_as_test(Governance, settings=quick)
    assert len(SIGNED) >= 20
