"""The simulated server told what to expect, over HTTP: it says yes and no as each generation does."""

import json
from urllib.parse import urlencode

import pytest

ATTESTATION, WHITELIST = "/AttestationService/resources", "/WLMService/resources"
HEX = 20 * "ab"
OEM = {"Name": "New Maker", "Description": ""}
MLE = {
    "Name": "New",
    "Version": "1",
    "OemName": "New Maker",
    "Attestation_Type": "PCR",
    "MLE_Type": "BIOS",
    "Description": "about",
    "MLE_Manifests": [{"Name": "0", "Value": HEX}],
}
MLE_QUERY = urlencode({"mleName": "New", "mleVersion": "1", "oemName": "New Maker"})


@pytest.fixture(params=["1.6", "2.x"])
def told(request, serve):
    return Told(serve(api=request.param, at=0), request.param)


@pytest.fixture
def old(serve):
    return Told(serve(api="1.6", at=0), "1.6")


@pytest.fixture
def new(serve):
    return Told(serve(api="2.x", at=0), "2.x")


class Told:
    """What it answers: `yes` for success, else the number of its fault."""

    def __init__(self, world, api):
        self.world = world
        self.api = api

    def say(self, method, path, document=None, **headers):
        body = None if document is None else json.dumps(document)
        status, answer = self.world.client.ask(method, path, body, **headers)
        said = {"1.6": "True", "2.x": "true"}[self.api]
        if status < 300 and (answer == said or answer is True):
            return "yes"
        assert answer.keys() == {"error_code", "error_message"}, answer
        return answer["error_code"]

    def row(self, host):
        found = self.world.client.get(f"{ATTESTATION}/hosts?searchCriteria={host}")
        row = found["hostBean"] if self.api == "1.6" else found[0]
        return {key: value for key, value in row.items() if key != "Location"}

    def add_mle(self, **changes):
        self.say("POST", f"{WHITELIST}/oem", OEM)
        return self.say("POST", f"{WHITELIST}/mles", MLE | changes)

    def use_mle(self, method="PUT", **changes):
        row = {**self.row("az1-002"), "HostName": "az1-001"}
        named = {"BIOS_Name": "New", "BIOS_Version": "1", "BIOS_Oem": "New Maker"}
        return self.say(method, f"{ATTESTATION}/hosts", {**row, **named, **changes})


def test_an_mle_is_added_with_its_values(told):
    assert told.add_mle() == "yes"
    manifest = told.world.client.get(f"{WHITELIST}/mles/manifest?{MLE_QUERY}")
    assert manifest["MLE_Manifests"] == [{"Name": "0", "Value": HEX}]
    assert manifest["Description"] == "about"


def test_nothing_is_added_twice(told):
    assert told.add_mle() == "yes"
    assert told.say("POST", f"{WHITELIST}/oem", OEM) == {"1.6": 1006, "2.x": 2002}[told.api]
    assert (
        told.say("POST", f"{WHITELIST}/os", {"Name": "Debian", "Version": "12"})
        == {"1.6": 1006, "2.x": 2005}[told.api]
    )
    assert told.add_mle() == {"1.6": 1006, "2.x": 2007}[told.api]


def test_an_mle_belongs_to_somebody_who_is_there(told):
    assert told.add_mle(OemName="Nobody") == {"1.6": 1006, "2.x": 2001}[told.api]
    system = {"MLE_Type": "VMM", "OsName": "None", "OsVersion": "1", "MLE_Manifests": []}
    assert told.add_mle(**system) == {"1.6": 1006, "2.x": 2004}[told.api]


def test_only_1_6_tells_mles_apart_by_name_and_version_alone(told):
    told.add_mle()
    told.say("POST", f"{WHITELIST}/oem", {"Name": "Another", "Description": ""})
    assert told.add_mle(OemName="Another") == {"1.6": 1006, "2.x": "yes"}[told.api]


def test_an_mle_in_use_is_not_deleted(told):
    told.add_mle()
    told.say("DELETE", f"{ATTESTATION}/hosts?hostName=az1-001")
    assert told.use_mle("POST") == "yes"
    assert told.say("DELETE", f"{WHITELIST}/mles?{MLE_QUERY}") == {"1.6": 500, "2.x": 2010}[told.api]
    assert told.say("DELETE", f"{ATTESTATION}/hosts?hostName=az1-001") == "yes"
    assert told.say("DELETE", f"{WHITELIST}/mles?{MLE_QUERY}") == "yes"
    assert told.say("DELETE", f"{WHITELIST}/mles?{MLE_QUERY}") == {"1.6": 1007, "2.x": 2009}[told.api]


def test_put_gives_a_host_other_mles_in_2_x_only_though_both_say_yes(told):
    told.add_mle()
    assert told.use_mle(Description="moved") == "yes"
    row = told.row("az1-001")
    assert row["Description"] == "moved"
    assert row["BIOS_Name"] == {"1.6": "BIOS 2.19 (R640)", "2.x": "New"}[told.api]
    (polled,) = told.world.client.poll(["az1-001"])
    assert polled["trust_lvl"] == {"1.6": "trusted", "2.x": "untrusted"}[told.api]


def test_verdicts_follow_an_mle_that_is_edited(told):
    row = told.row("az1-001")
    ref = {"Name": row["VMM_Name"], "Version": row["VMM_Version"], "OsName": "Debian", "OsVersion": "12"}
    edited = {**ref, "MLE_Type": "VMM", "Attestation_Type": "PCR", "MLE_Manifests": [{"Name": "17", "Value": HEX}]}
    assert told.say("PUT", f"{WHITELIST}/mles", edited) == "yes"
    (polled,) = told.world.client.poll(["az1-001"])
    assert polled["trust_lvl"] == "untrusted"
    gone = {**edited, "Name": "none"}
    assert told.say("PUT", f"{WHITELIST}/mles", gone) == {"1.6": 1007, "2.x": 2009}[told.api]


def test_hosts_that_are_there_or_not(told):
    host = f"{ATTESTATION}/hosts"
    assert told.say("POST", host, told.row("az1-001")) == {"1.6": 2001, "2.x": 1005}[told.api]
    assert told.say("DELETE", f"{host}?hostName=edge-004") == {"1.6": 2000, "2.x": 1003}[told.api]
    unknown = {**told.row("az1-001"), "HostName": "edge-004"}
    assert told.say("PUT", host, unknown) == {"1.6": 404, "2.x": 1003}[told.api]
    assert told.say("POST", host, unknown | {"VMM_Name": "none"}) == {"1.6": 2001, "2.x": 1004}[told.api]
    assert told.say("POST", host, unknown) == "yes"
    (polled,) = told.world.client.poll(["edge-004"])
    assert polled["trust_lvl"] == "untrusted"  # it is of another model than az1-001


def test_2_x_asks_a_host_before_it_registers_it_and_1_6_does_not(told):
    nobody = {**told.row("az1-001"), "HostName": "nobody"}
    assert told.say("POST", f"{ATTESTATION}/hosts", nobody) == {"1.6": "yes", "2.x": 1011}[told.api]
    (polled,) = told.world.client.poll(["nobody"])
    assert polled["trust_lvl"] == {"1.6": "timeout", "2.x": "unknown"}[told.api]


@pytest.mark.parametrize(
    "changes",
    [{"Name": ""}, {"Name": 51 * "n"}, {"Name": "a+b"}, {"Description": "a:b"}, {"Attestation_Type": "MODULE"}],
)
def test_1_6_compares_lengths_and_characters(old, changes):
    assert old.add_mle(**changes) == 500


def test_1_6_refuses_a_host_as_a_whole_for_one_character(old):
    assert old.use_mle(Description="rack: 3") == 500
    assert old.use_mle(AddOn_Connection_String="intel:https://10.0.0.1:9999") == 500


@pytest.mark.parametrize(("register", "kind"), [("7", "BIOS"), ("4", "VMM"), ("22", "VMM")])
def test_2_x_takes_few_registers(new, register, kind):
    owner = {"OemName": "New Maker"} if kind == "BIOS" else {"OemName": None, "OsName": "Debian", "OsVersion": "12"}
    values = [{"Name": register, "Value": HEX}]
    assert new.add_mle(MLE_Type=kind, MLE_Manifests=values, **owner) == 2022


def test_2_x_says_yes_in_text_and_to_nobody_who_takes_json_only(new):
    for accept, said in (("application/json", 406), ("application/json, text/plain;q=0.9", "yes"), ("text/*", 2002)):
        assert new.say("POST", f"{WHITELIST}/oem", OEM, Accept=accept) == said


def test_2_x_refuses_properties_that_it_does_not_know(new):
    assert new.add_mle(Colour="red") == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"MLE_Type": "GPU"},
        {"MLE_Manifests": [{"Name": "0", "Value": "xyz"}]},
        {"MLE_Manifests": [{"Name": "99", "Value": HEX}]},
        {"MLE_Manifests": [7]},
        {"MLE_Manifests": 7},
        {"Version": ["1"]},
        {"Version": True},
    ],
)
def test_what_is_no_mle_is_refused(told, changes):
    assert told.add_mle(**changes) == 400


def test_the_form_of_lists_is_each_ones_own(old, new):
    assert old.row("az1-001")["Port"] == "9999"
    assert "AddOn_Connection_String" not in old.row("az1-001")
    assert new.row("az1-001")["Port"] == 9999
    assert new.row("az1-001")["AddOn_Connection_String"] == "intel:https://10.20.0.1:9999"
