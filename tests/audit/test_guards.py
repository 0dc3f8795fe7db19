"""The database itself refuses to change the log; where it would not, a check says so."""

# ruff: noqa: S608 - statements of an attacker, of constants

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from tests.activity import write
from txt_dashboard import checks
from txt_dashboard.audit import guards
from txt_dashboard.models import Activity, ActivityHead

pytestmark = pytest.mark.django_db
TABLE = "txt_dashboard_activity"
REFUSED = {
    "update": f"UPDATE {TABLE} SET actor = 'eve' WHERE id = 1",
    "update of all": f"UPDATE {TABLE} SET actor = 'eve'",
    "delete": f"DELETE FROM {TABLE} WHERE id = 2",
    "delete of all": f"DELETE FROM {TABLE}",
}
ON_SQLITE = {
    "replace": f"INSERT OR REPLACE INTO {TABLE} SELECT * FROM {TABLE} WHERE id = 1",
    "replace by a digest": (
        f"INSERT OR REPLACE INTO {TABLE} (id, at, actor, verb, target, host, detail, previous, digest)"
        f" SELECT 4, at, actor, verb, target, host, detail, previous, digest FROM {TABLE} WHERE id = 2"
    ),
    "update or replace": f"UPDATE OR REPLACE {TABLE} SET id = 1 WHERE id = 2",
    "insert before the first": (
        f"INSERT INTO {TABLE} (id, at, actor, verb, target, host, detail, previous, digest)"
        f" SELECT -1, at, actor, verb, target, host, detail, 'p', 'd' FROM {TABLE} WHERE id = 2"
    ),
}
ON_POSTGRESQL = {
    "truncate": f"TRUNCATE {TABLE}",
    "truncate cascade": f"TRUNCATE {TABLE}, {TABLE}head CASCADE",
    "as a replica": f"SET LOCAL session_replication_role = replica; DELETE FROM {TABLE}",
    "upsert": (
        f"INSERT INTO {TABLE} (id, at, actor, verb, target, host, detail, previous, digest)"
        f" SELECT id, at, actor, verb, target, host, detail, previous, digest FROM {TABLE} WHERE id = 1"
        " ON CONFLICT (id) DO UPDATE SET actor = 'eve'"
    ),
}
THERE = {**REFUSED, **(ON_SQLITE if connection.vendor == "sqlite" else ON_POSTGRESQL)}


def gone() -> list[str]:
    return [message.id for message in checks.activity_log_is_guarded(databases=["default"])]


@pytest.mark.parametrize("what", THERE)
def test_the_database_refuses(what) -> None:
    write(3)
    before = list(Activity.objects.values_list())
    with (
        pytest.raises(DatabaseError, match=r"append-only|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(THERE[what])
    assert list(Activity.objects.values_list()) == before


def test_the_next_entry_is_let_by() -> None:
    write(3)
    assert Activity.objects.count() == 3


def test_a_migrated_database_has_all_triggers() -> None:
    assert gone() == []


def test_without_a_database_to_ask_the_check_says_nothing() -> None:
    guards.remove(connection)
    assert checks.activity_log_is_guarded() == []
    guards.install(connection)


def test_each_trigger_that_is_missing_is_reported() -> None:
    guards.remove(connection)
    assert set(gone()) == {"TXT.E007"}
    guards.install(connection)
    assert gone() == []


def test_a_trigger_that_does_nothing_any_more_is_reported() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DROP TRIGGER {TABLE}_no_update")
            cursor.execute(f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} BEGIN SELECT 1; END")
        else:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql"
                " AS $$ BEGIN RETURN NULL; END $$"
            )
    assert gone() == ["TXT.E007"]
    guards.install(connection)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's triggers can't be switched off")
@pytest.mark.parametrize("state", ["DISABLE", "ENABLE", "ENABLE REPLICA"])
def test_a_trigger_that_is_switched_off_is_reported(state) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} {state} TRIGGER {TABLE}_append_only")
    assert gone() == ["TXT.E007"]
    guards.install(connection)


def test_before_the_migration_nothing_is_due(monkeypatch) -> None:
    guards.remove(connection)
    monkeypatch.setattr(guards, "_SINCE", "a_table_that_is_not_there_yet")
    assert gone() == []
    guards.install(connection)


def test_a_command_puts_them_back_and_says_so_in_the_log(capsys) -> None:
    call_command("audit", "guard")
    assert "All triggers are there" in capsys.readouterr().out
    guards.remove(connection)
    call_command("audit", "guard")
    assert "Put back" in capsys.readouterr().out
    assert gone() == []
    assert Activity.objects.get().verb == "guard log"
    assert ActivityHead.objects.get().count == 1
