"""Many rows in one statement, with every type of column that we have: `test_postgresql.py` runs this."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.factories import NOON
from tests.rows import make_host, make_server
from txt_dashboard.models import Attestation, Host, HostEvent, Measurement, Server
from txt_dashboard.models.bulk import Ids, Shared, insert_rows, update_rows

pytestmark = pytest.mark.django_db

KEYS = ("a" * 64, "b" * 64)
VALUES = {
    "due_at": [NOON + timedelta(microseconds=1), datetime(2030, 1, 1, tzinfo=UTC)],
    "asked_at": [None, NOON],
    "lease": ["", "x' OR '1'='1"],
    "failures": [0, 32_767],
    "answered": [True, False],
    "silence": [None, {"code": "host_timeout", "params": {"detail": 'a "quoted" 100 % ü'}}],
    "others": [{}, {"sha1": {"1": "00" * 20}}],
    "differing": [[], [17, 18]],
    "platform": [None, KEYS[0]],
    "vmm": [KEYS[1], None],
}


@pytest.fixture(autouse=True)
def rows() -> list[int]:
    assert connection.vendor == "postgresql"
    server = make_server()
    for number in range(2):
        make_host(f"hv{number}", server)
    for key in KEYS:
        Measurement.objects.create(key=key, part="vmm", bank="sha1", values={}, first_seen_at=NOON)
    return list(Attestation.objects.order_by("id").values_list("id", flat=True))


def stored(*names: str) -> list[tuple]:
    return list(Attestation.objects.order_by("id").values_list(*names))


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("reverse", [False, True], ids=["", "the other first"])
def test_each_type_of_column_is_written(rows, name, reverse) -> None:
    values = VALUES[name][::-1] if reverse else VALUES[name]
    assert update_rows(Attestation, (name,), list(zip(rows, values, strict=True))) == 2
    assert stored(name) == [(value,) for value in values]


def test_all_columns_at_once(rows) -> None:
    lines = [(id_, *(values[at] for values in VALUES.values())) for at, id_ in enumerate(rows)]
    update_rows(Attestation, tuple(VALUES), lines)
    assert stored(*VALUES) == [line[1:] for line in lines]


def test_what_is_shared_is_written_to_each_of_its_group(rows) -> None:
    shared = Shared(tuple(VALUES), list(zip(*VALUES.values(), strict=True)))
    update_rows(Attestation, ("attested_at",), [(rows[0], NOON, 1), (rows[1], None, 1)], shared=shared)
    assert stored("attested_at", *VALUES) == [(NOON, *shared.groups[1]), (None, *shared.groups[1])]


def test_constants_go_to_all_and_conditions_leave_out(rows) -> None:
    Attestation.objects.filter(id=rows[0]).update(lease="mine")
    written = update_rows(
        Attestation,
        ("verdict",),
        [(id_, "trusted") for id_ in rows],
        constants={"silence": None, "others": {"sha1": {}}, "asked_at": NOON, "lease": ""},
        only_where={"lease": "mine"},
    )
    assert written == 1
    assert stored("verdict", "others", "asked_at") == [("trusted", {"sha1": {}}, NOON), ("", {}, None)]


def test_rows_are_inserted_with_what_they_share() -> None:
    hosts = list(Host.objects.order_by("id").values_list("id", flat=True))
    groups = [
        (NOON, "unknown", "trusted", "matches", {"server": "oat-1"}, [], None, KEYS[1]),
        (NOON, "trusted", "untrusted", "registers_differ", {"registers": "18"}, [18], KEYS[0], None),
    ]
    columns = ("at", "previous_state", "state", "reason", "reason_params", "differing", "platform", "vmm")
    assert insert_rows(HostEvent, ("host",), [(hosts[0], 0), (hosts[1], 1)], shared=Shared(columns, groups)) == 2
    assert list(HostEvent.objects.order_by("host").values_list("host", *columns)) == [
        (host, *group) for host, group in zip(hosts, groups, strict=True)
    ]


def test_no_rows_are_no_statement(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert update_rows(Server, ("name",), []) == 0
        assert insert_rows(HostEvent, ("host",), []) == 0


@pytest.mark.parametrize("number", [0, 1, 2])
def test_any_number_of_ids_is_one_parameter(rows, number) -> None:
    found = Attestation.objects.filter(id__in=Ids(rows[:number])).order_by("id")
    assert list(found.values_list("id", flat=True)) == rows[:number]
