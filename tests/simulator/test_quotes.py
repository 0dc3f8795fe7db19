"""The extension of the contract: quotes with the asker's nonce and logs, for each dialect alike."""

import base64
import json

import pytest

from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.replay import replay
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand, Quote, verify

QUOTES = "/AttestationService/resources/quotes"
EVENTLOG = "/AttestationService/resources/eventlog"
NONCE = "00112233445566778899aabbccddeeff"
RSA_HOST, P256_HOST = "az1-001", "az2-001"


def quotes(world, hosts, selection, nonce=NONCE):
    body = json.dumps({"hosts": hosts, "nonce": nonce, "selection": selection})
    return world.client.ok("POST", QUOTES, body)["quotes"]


def verified(row, selection, nonce=NONCE):
    values = {
        Bank(bank): {int(index): bytes.fromhex(each) for index, each in row["pcrs"][bank].items()}
        for bank in row["pcrs"]
    }
    message, signature, public = (base64.b64decode(row[name]) for name in ("attest", "signature", "public"))
    demand = Demand(bytes.fromhex(nonce), {Bank(bank): frozenset(selection[bank]) for bank in selection})
    return verify(Quote(message, signature, values), load_key(public), demand)


@pytest.mark.parametrize("api", ["1.6", "2.x"])
def test_quotes_answer_the_nonce_and_the_selection(serve, api):
    world, selection = serve(api=api), {"sha1": [0, 17], "sha256": [4, 7]}
    rows = quotes(world, [RSA_HOST, P256_HOST], selection)
    assert [row["host_name"] for row in rows] == [RSA_HOST, P256_HOST]
    assert all(verified(row, selection).accepted for row in rows)
    assert [load_key(base64.b64decode(row["public"])).area.scheme.algorithm.name for row in rows] == [
        "RSASSA",
        "ECDSA",
    ]


def test_the_sha1_registers_are_those_that_a_poll_shows(serve):
    world = serve(at=77.0)
    (row,) = quotes(world, [P256_HOST], {"sha1": list(range(24))})
    (polled,) = world.client.poll([P256_HOST], PCRmask="ffffff")
    assert row["pcrs"]["sha1"] == {str(each["number"]): each["value"] for each in polled["pcr_values"]}


def test_the_log_replays_to_the_quoted_values(serve):
    world = serve()
    answer = world.client.get(f"{EVENTLOG}?host={P256_HOST}")
    assert answer["host_name"] == P256_HOST
    log = parse(base64.b64decode(answer["eventlog"]))
    (row,) = quotes(world, [P256_HOST], {"sha1": list(range(24)), "sha256": list(range(24))})
    for bank in (Bank.SHA1, Bank.SHA256):
        values = {str(index): value.hex() for index, value in replay(log, bank).items()}
        assert {index: row["pcrs"][bank][index] for index in values} == values


def test_a_reboot_raises_the_reset_counter_and_the_clock_goes_on(serve):
    world = serve()
    counted = []
    for second in (10.0, 59.0, 61.0, 200.0):
        world.move(second)
        (row,) = quotes(world, ["az1-025"], {"sha1": [18]})
        counted.append(verified(row, {"sha1": [18]}).pcrs.counters)
    assert [each.reset_count for each in counted] == [3, 3, 4, 4]
    assert [each.clock for each in counted] == sorted({each.clock for each in counted})


def test_who_is_not_known_or_does_not_answer_has_no_quote(serve):
    world = serve(at=100.0)
    rows = quotes(world, ["nobody", "edge-004", "edge-017"], {"sha1": [0]})
    assert [row.get("refusal") for row in rows] == ["unknown", "unknown", "timeout"]
    assert all(set(row) == {"host_name", "refusal"} for row in rows)
    assert [world.client.ask("GET", f"{EVENTLOG}?host={name}")[0] for name in ("nobody", "edge-017")] == [404, 404]


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": ""},
        {"nonce": "zz"},
        {"nonce": 7},
        {"nonce": "00" * 65},
        {"selection": {}},
        {"selection": {"sha1": []}},
        {"selection": {"sha384": [0]}},
        {"selection": {"md5": [0]}},
        {"selection": {"sha1": [24]}},
        {"selection": {"sha1": [[]]}},
        {"selection": [0]},
        {"hosts": "az1-001"},
    ],
)
def test_what_can_t_be_meant_is_refused(serve, change):
    asked = {"hosts": [P256_HOST], "nonce": NONCE, "selection": {"sha1": [0]}} | change
    status, document = serve().client.ask("POST", QUOTES, json.dumps(asked))
    assert status == 400
    assert document["error_message"]
