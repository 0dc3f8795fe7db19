"""One statement for many rows with values of their own.

Django's bulk_update writes a CASE for each row and column, and bulk_create makes an object for each row;
joined with VALUES the same is an order of magnitude cheaper, on SQLite and PostgreSQL alike.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import msgspec
from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

Row = Sequence[object]
Compiled = tuple[str, tuple[str | int, ...]]


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
    return table.execute(
        f"{source.sql} INSERT INTO {table.name} ({names}) SELECT {selected} FROM {source.tables}",  # noqa: S608
        params,
    )


class Ids(models.Func):
    """For `id__in`: any number of ids as one parameter. Django prepares and binds each of a list by itself."""

    def __init__(self, ids: Iterable[int]) -> None:
        super().__init__(models.Value(msgspec.json.encode(list(ids)).decode()))

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: object) -> Compiled:
        """SQLite's way to unfold them."""
        return self.as_sql(compiler, connection, template="(SELECT value FROM json_each(%(expressions)s))")

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
        """PostgreSQL's."""
        unfolded = "(SELECT value::bigint FROM json_array_elements_text(%(expressions)s::json))"
        return self.as_sql(compiler, connection, template=unfolded)


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
        self.key = str(model._meta.pk.name)
        self.name = self._connection.ops.quote_name(model._meta.db_table)

    def column(self, name: str) -> str:
        """The quoted column of a field."""
        return self._connection.ops.quote_name(str(self._fields[name].column))

    def prepare(self, name: str) -> Callable[[Any], object]:
        """What makes of a field's value one that the driver takes. Texts, numbers and keys are that already."""
        field = self._fields[name]
        if isinstance(field, models.DateTimeField):
            return cache(self._connection.ops.adapt_datetimefield_value)  # rows often share a time
        return _json if isinstance(field, models.JSONField) else _as_it_is

    def source(self, columns: Sequence[str], rows: Sequence[Row], shared: Shared) -> tuple[_Source, list[Any]]:
        """The rows, joined with what they share, and their parameters."""
        values = {name: f"new.c{at}" for at, name in enumerate(columns)}
        if not shared.columns:
            sql, params = self._values("new", columns, rows, [])
            return _Source(f"WITH {sql}", "new", values), params
        groups = [(*group, number) for number, group in enumerate(shared.groups)]
        sql, params = self._values("new", columns, rows, ["grp"])
        more_sql, more_params = self._values("shared", shared.columns, groups, ["grp"])
        values |= {name: f"shared.c{at}" for at, name in enumerate(shared.columns)}
        tables = "new JOIN shared ON shared.grp = new.grp"
        return _Source(f"WITH {sql}, {more_sql}", tables, values), params + more_params

    def execute(self, sql: str, params: list[Any]) -> int:
        """Runs one statement; returns the number of rows that it wrote."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, params)
            return int(cursor.rowcount)

    def _values(
        self, name: str, columns: Sequence[str], rows: Sequence[Row], numbers: list[str]
    ) -> tuple[str, list[Any]]:
        """A table of values, and its parameters. Each row has a value for each column, then the plain numbers."""
        names = [*(f"c{at}" for at in range(len(columns))), *numbers]
        other = first = ["%s"] * len(names)
        if self._connection.vendor == "postgresql":
            # It types a VALUES list by its literals, and NULL and JSON have none.
            types = [str(self._fields[column].db_type(self._connection)) for column in columns]
            first = [f"CAST(%s AS {type_})" for type_ in types] + ["%s"] * len(numbers)
        lines = ", ".join([f"({', '.join(first)})", *[f"({', '.join(other)})"] * (len(rows) - 1)])
        by_column = list(zip(*rows, strict=True))
        by_column[: len(columns)] = [
            tuple(map(self.prepare(column), values)) for column, values in zip(columns, by_column, strict=False)
        ]
        return f"{name} ({', '.join(names)}) AS (VALUES {lines})", list(chain(*zip(*by_column, strict=True)))


def _as_it_is(value: object) -> object:
    return value


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
