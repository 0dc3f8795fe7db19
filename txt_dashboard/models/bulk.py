"""One statement for many rows with values of their own.

Django's bulk_update writes a CASE for each row and column, and bulk_create makes an object for each row;
joined with VALUES the same is an order of magnitude cheaper, on SQLite and PostgreSQL alike.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain

import msgspec
from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Shared:
    """Values that many rows have in common, sent once: a row's last value is the number of its group."""

    columns: Sequence[str]
    groups: Sequence[Row]


NOTHING_SHARED = Shared((), ())


def update_rows(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    shared: Shared = NOTHING_SHARED,
    constants: Mapping[str, object] | None = None,
    only_where: Mapping[str, object] | None = None,
) -> int:
    """Writes `rows` of (primary key, value of each column) and the same `constants` to all of them.

    `only_where` leaves out rows that do not hold these values now. Returns the number of rows written.
    """
    if not rows:
        return 0
    table = _Table(model)
    source, params = table.source((table.key, *columns), rows, shared)
    assignments = [f"{table.column(name)} = {value}" for name, value in source.values.items() if name != table.key]
    for name, value in (constants or {}).items():
        assignments.append(f"{table.column(name)} = %s")
        params.append(table.prepare(name)(value))
    conditions = [f"target.{table.column(table.key)} = {source.values[table.key]}"]
    for name, value in (only_where or {}).items():
        conditions.append(f"target.{table.column(name)} = %s")
        params.append(table.prepare(name)(value))
    return table.execute(
        f"{source.sql} UPDATE {table.name} AS target SET {', '.join(assignments)} "  # noqa: S608 - names of ours
        f"FROM {source.tables} WHERE {' AND '.join(conditions)}",
        params,
    )


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], *, shared: Shared = NOTHING_SHARED
) -> int:
    """Inserts `rows` of values of `columns`; returns how many."""
    if not rows:
        return 0
    table = _Table(model)
    source, params = table.source(columns, rows, shared)
    names = ", ".join(table.column(name) for name in source.values)
    selected = ", ".join(source.values.values())
    # Not every engine tells a join's condition from an upsert's without a WHERE.
    return table.execute(
        f"{source.sql} INSERT INTO {table.name} ({names}) SELECT {selected} FROM {source.tables}",  # noqa: S608
        params,
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """The rows as SQL: their tables, and where in them the value of each column is."""

    sql: str  # WITH …
    tables: str
    values: Mapping[str, str]


class _Table:
    """One model's table, on the connection that writes it."""

    def __init__(self, model: type[models.Model]) -> None:
        self._connection: BaseDatabaseWrapper = connections[router.db_for_write(model)]
        self._fields = {field.name: field for field in model._meta.concrete_fields}
        self.key = model._meta.pk.name
        self.name = self._connection.ops.quote_name(model._meta.db_table)

    def column(self, name: str) -> str:
        """The quoted column of a field."""
        return self._connection.ops.quote_name(self._fields[name].column)

    def prepare(self, name: str) -> Callable[[object], object]:
        """What makes of a field's value one that the driver takes."""
        field = self._fields[name]
        if isinstance(field, models.DateTimeField):
            # What the field does before serves values typed in by people. Remembered, for rows often share a time.
            return cache(self._connection.ops.adapt_datetimefield_value)
        if isinstance(field, models.JSONField):
            return _json
        return partial(field.get_db_prep_save, connection=self._connection)

    def source(self, columns: Sequence[str], rows: Sequence[Row], shared: Shared) -> tuple[_Source, list[object]]:
        """The rows, joined with what they share, and their parameters."""
        values = {name: f"new.c{at}" for at, name in enumerate(columns)}
        if not shared.columns:
            return _Source(f"WITH {self._values('new', columns, len(rows))}", "new", values), self._params(
                columns, rows
            )
        values |= {name: f"shared.c{at}" for at, name in enumerate(shared.columns)}
        numbered = [(*group, number) for number, group in enumerate(shared.groups)]
        sql = (
            f"WITH {self._values('new', columns, len(rows), numbered=True)}, "
            f"{self._values('shared', shared.columns, len(numbered), numbered=True)}"
        )
        params = self._params(columns, rows) + self._params(shared.columns, numbered)
        return _Source(sql, "new JOIN shared ON shared.grp = new.grp", values), params

    def execute(self, sql: str, params: Sequence[object]) -> int:
        """Runs one statement; returns the number of rows that it wrote."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, params)
            return int(cursor.rowcount)

    def _values(self, name: str, columns: Sequence[str], count: int, *, numbered: bool = False) -> str:
        names = [f"c{at}" for at in range(len(columns))] + ["grp"] * numbered
        other = ["%s"] * len(names)
        first = other
        if self._connection.vendor == "postgresql":
            # It types a VALUES list by its literals, and NULL and JSON have none.
            types = [str(self._fields[column].db_type(self._connection)) for column in columns] + [
                "integer"
            ] * numbered
            first = [f"CAST(%s AS {type_})" for type_ in types]
        rows = ", ".join([f"({', '.join(first)})", *[f"({', '.join(other)})"] * (count - 1)])
        return f"{name} ({', '.join(names)}) AS (VALUES {rows})"

    def _params(self, columns: Sequence[str], rows: Iterable[Row]) -> list[object]:
        """The values of all rows, prepared column by column; a group's number stays as it is."""
        by_column = list(zip(*rows, strict=True))
        for at, column in enumerate(columns):
            by_column[at] = tuple(map(self.prepare(column), by_column[at]))
        return list(chain.from_iterable(zip(*by_column, strict=True)))


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
