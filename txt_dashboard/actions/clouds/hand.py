"""Gives and takes the trait at Placement, each act with two entries in the activity log: intended, and done."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import structlog
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.cloud import placement
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.errors import CloudError, NotThere
from txt_dashboard.models import Cloud, TraitHold, TraitIntent
from txt_dashboard.queries.clouds import hosts_of
from txt_dashboard.servers.base import Clock

GIVE, TAKE = "give trait", "take trait"
_AT_ONCE = 8  # providers
_FIRST = 20  # names of hosts that an entry shows

Row = TraitIntent | TraitHold
RowT = TypeVar("RowT", TraitIntent, TraitHold)
log = structlog.get_logger()


@dataclass
class Hand:
    """Changes providers of one cloud; `problem` is the first failure, empty where there was none.

    A provider that fails costs only itself. What is intended is written before Placement is asked, and stays on the
    row until it is done: however often it must be tried again, and whoever is killed meanwhile.
    """

    cloud: Cloud
    connection: Connection
    trait: str
    clock: Clock
    problem: str = ""
    kept: set[str] = field(default_factory=set)  # providers that should have lost the trait, and have not

    def take(self, intents: Collection[TraitIntent]) -> None:
        """Takes back what we gave; the intent goes with the trait."""
        if not intents:
            return
        with transaction.atomic():
            begun = [row for row in intents if not row.taking]
            for row in begun:
                row.taking, row.entry = True, None
            self._intend(TAKE, intents)
        done = self._done(intents, present=False)
        with transaction.atomic():
            self._record(TAKE, done)
            TraitIntent.objects.filter(pk__in=[row.pk for row in done]).delete()

    def take_foreign(self, holds: Collection[TraitHold]) -> None:
        """Takes what somebody else set; the hold stays."""
        if not holds:
            return
        with transaction.atomic():
            self._intend(TAKE, holds)
        done = self._done(holds, present=False)
        with transaction.atomic():
            self._record(TAKE, done)
            TraitHold.objects.filter(pk__in=[row.pk for row in done]).update(taken=True)

    def give(self, providers: Iterable[str]) -> None:
        """Gives the trait to these; the intents are on record first."""
        wanted = list(providers)
        now = self.clock()
        with transaction.atomic():
            new = [TraitIntent(cloud=self.cloud, provider=each, trait=self.trait, at=now) for each in wanted]
            TraitIntent.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
            rows = list(self.cloud.intents.filter(trait=self.trait, provider__in=wanted))
            for row in rows:
                if row.taking:
                    row.taking, row.entry = False, None
            self._intend(GIVE, rows)
        done = self._done(rows, present=True)
        with transaction.atomic():
            self._record(GIVE, done)
        # Another worker may have taken one back meanwhile, intent and all: then ours came too late.
        still = set(self.cloud.intents.filter(trait=self.trait).values_list("provider", flat=True))
        self._done([row for row in rows if row.provider not in still], present=False)

    def _intend(self, verb: str, rows: Collection[Row]) -> None:
        new = [row for row in rows if row.entry is None]
        if not new:
            return
        shown = self._shown(new)
        target, host = self.cloud.name, _only(shown)
        now = self.clock()
        number = audit.intend(at=now, actor="worker", verb=verb, target=target, host=host, detail=shown)
        for row in new:
            row.entry = number
        _save_entries(new)

    def _record(self, verb: str, done: Collection[Row]) -> None:
        """The outcome of each intention, as far as it has come."""
        by_entry: dict[int, list[Row]] = defaultdict(list)
        for row in done:
            if row.entry is not None:
                by_entry[row.entry].append(row)
            row.entry = None
        _save_entries(done)
        for entry, finished in by_entry.items():
            shown = {**self._shown(finished), "outcome": "done"}
            target, host = self.cloud.name, _only(shown)
            now = self.clock()
            audit.record(at=now, actor="worker", verb=verb, target=target, host=host, of=entry, detail=shown)

    def _shown(self, rows: Collection[Row]) -> dict[str, object]:
        known = hosts_of(self.cloud, (row.provider for row in rows))
        names = sorted(known[row.provider].name if row.provider in known else row.provider for row in rows)
        trait = ", ".join(sorted({row.trait if isinstance(row, TraitIntent) else self.trait for row in rows}))
        return {"trait": trait, "hosts": len(rows), "first": names[:_FIRST]}

    def _done(self, rows: Collection[RowT], *, present: bool) -> list[RowT]:
        """The rows whose providers are as they should be now. No thread touches the database."""
        ask = partial(_ask, self.connection, present=present)
        wanted = [(row.provider, row.trait if isinstance(row, TraitIntent) else self.trait) for row in rows]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            failures = list(pool.map(ask, wanted))
        done = []
        for row, error in zip(rows, failures, strict=True):
            if error is None:
                done.append(row)
                continue
            self.problem = self.problem or str(error)
            log.error("trait not changed", cloud=self.cloud.name, provider=row.provider, why=str(error))
            if not present:
                self.kept.add(row.provider)
        return done


def _ask(connection: Connection, wanted: tuple[str, str], *, present: bool) -> CloudError | None:
    provider, trait = wanted
    try:
        placement.change_trait(connection, provider, trait, present=present)
    except NotThere as error:
        return error if present else None  # the provider is gone, and its traits with it
    except CloudError as error:
        return error
    return None


def _save_entries(rows: Collection[Row]) -> None:
    intents = [row for row in rows if isinstance(row, TraitIntent)]
    holds = [row for row in rows if isinstance(row, TraitHold)]
    TraitIntent.objects.bulk_update(intents, ["entry", "taking"], batch_size=200)
    TraitHold.objects.bulk_update(holds, ["entry"], batch_size=200)


def _only(shown: Mapping[str, object]) -> str:
    """The host's name, where the act is about one."""
    first = shown["first"]
    return str(first[0])[:253] if shown["hosts"] == 1 and isinstance(first, list) and first else ""
