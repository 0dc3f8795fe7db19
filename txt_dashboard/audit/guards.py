"""Triggers that refuse to change or remove what the activity log holds.

They stand against mistakes and against whoever may only send statements; who may drop triggers is found
out by `verify`. A migration that alters the table calls `install` again: SQLite makes the table anew then,
and its triggers are gone.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

from txt_dashboard.models import Activity, ActivityHead

TABLE = Activity._meta.db_table
_SINCE = ActivityHead._meta.db_table  # made by the same migration
SAYS = "the activity log is append-only"

# The last one: INSERT OR REPLACE removes a row without asking the triggers for DELETE.
_SQLITE = {
    f"{TABLE}_no_update": f"BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    f"{TABLE}_no_delete": f"BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{SAYS}'); END",
    f"{TABLE}_at_the_end": (
        f"BEFORE INSERT ON {TABLE} WHEN NEW.id <> (SELECT COALESCE(MAX(id), 0) + 1 FROM {TABLE})"  # noqa: S608 - our own
        f" OR EXISTS (SELECT 1 FROM {TABLE} WHERE previous = NEW.previous OR digest = NEW.digest)"
        f" BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
    ),
}
_FUNCTION = f"{TABLE}_refuse"
_BODY = f" BEGIN RAISE EXCEPTION '{SAYS}'; END "
_TRIGGER = f"{TABLE}_append_only"
_BEFORE_ANY = 2 + 8 + 16 + 32  # PostgreSQL's bits for BEFORE, DELETE, UPDATE, TRUNCATE; none for FOR EACH ROW


def install(connection: BaseDatabaseWrapper) -> None:
    """Puts the triggers there, whatever is there of them."""
    remove(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name, rule in _SQLITE.items():
                cursor.execute(f"CREATE TRIGGER {name} {rule}")
            return
        cursor.execute(f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$")
        cursor.execute(
            f"CREATE TRIGGER {_TRIGGER} BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        )
        # Else a session with replication's role would pass by it.
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {_TRIGGER}")


def remove(connection: BaseDatabaseWrapper) -> None:
    """Takes the triggers away: for `install`, and for tests that empty their tables."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in _SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            cursor.execute(f"DROP TRIGGER IF EXISTS {_TRIGGER} ON {TABLE}")
            cursor.execute(f"DROP FUNCTION IF EXISTS {_FUNCTION}()")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Triggers that are not there, switched off, or say something else. None where they are not due yet."""
    with connection.cursor() as cursor:
        if _SINCE not in connection.introspection.table_names(cursor):
            return []  # before the migration that makes them
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            there = dict(cursor.fetchall())
            return [name for name, rule in _SQLITE.items() if there.get(name) != f"CREATE TRIGGER {name} {rule}"]
        cursor.execute(
            "SELECT tgtype, tgenabled, tgqual IS NULL AND tgattr = '', prosrc FROM pg_trigger"
            " JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = to_regclass(%s) AND tgname = %s",
            [TABLE, _TRIGGER],
        )
        return [] if cursor.fetchall() == [(_BEFORE_ANY, "A", True, _BODY)] else [_TRIGGER]
