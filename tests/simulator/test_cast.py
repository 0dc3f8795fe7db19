"""A fleet of named hosts that does what a file says."""

import json
import logging
import os
from pathlib import Path

import pytest

from txt_dashboard.simulator.__main__ import main
from txt_dashboard.simulator.cast import UnusableCast, direct
from txt_dashboard.simulator.simulation import Attestation, Simulation

ODD = {"loader": "2.06-13+deb12u1+local1"}


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "cast.json"


@pytest.fixture
def write(file):
    """As a test does it: whole, and at once."""

    def put(cast: object) -> None:
        new = file.with_suffix(".new")
        new.write_text(json.dumps(cast))
        new.replace(file)

    return put


@pytest.fixture
def play(file):
    """The hosts as they are at this second."""

    def start() -> Simulation:
        story = direct(file, 1)
        return Simulation(story.fleet, lambda: 100.0, story=story)

    return start


def shown(simulation: Simulation, name: str) -> dict[int, str]:
    attested = simulation.attest(name)
    assert isinstance(attested, Attestation)
    return dict(attested.values)


def test_it_plays_the_hosts_of_the_file_and_no_other(write, play):
    write({"compute1": {}, "compute2": ODD})
    simulation = play()
    assert [host.name for host in simulation.fleet.hosts] == ["compute1", "compute2"]
    assert [simulation.attest(name).trusted for name in ("compute1", "compute2")] == [True, False]


def test_a_loader_moves_one_register_of_one_host_when_it_is_told(write, play):
    write({"compute1": {}, "compute2": {}})
    simulation = play()
    before = {name: shown(simulation, name) for name in ("compute1", "compute2")}
    write({"compute1": {**ODD, "reboots": 1}, "compute2": {}})
    after = shown(simulation, "compute1")
    grown = {10}  # IMA's, which begins anew with each boot
    assert {index for index in after if after[index] != before["compute1"][index]} - grown == {4}
    assert shown(simulation, "compute2") == before["compute2"]
    host = simulation.fleet.by_name["compute1"]
    assert simulation.story.booted_at(host, 200.0) == 100.0
    assert simulation.story.reboots(host, 200.0) == play().story.reboots(host, 200.0) == 1
    write({"compute1": {}, "compute2": {}})
    assert shown(simulation, "compute1")[4] == before["compute1"][4]


def test_a_file_that_can_not_be_read_changes_nothing(write, play, file, caplog):
    write({"compute1": {}})
    simulation = play()
    before = shown(simulation, "compute1")
    file.write_text("{")
    with caplog.at_level(logging.WARNING):
        assert shown(simulation, "compute1") == before
    assert "stay as they are" in caplog.text


@pytest.mark.parametrize(
    "cast",
    [
        [],
        {},
        {"a": []},
        {"a": {"firmware": "1"}},
        {"a": {"kernel": 1}},
        {"a": {"kernel": ""}},
        {"a": {"reboots": -1}},
    ],
)
def test_what_can_not_be_used_is_named(write, play, file, cast):
    write(cast)
    with pytest.raises(UnusableCast, match=file.name):
        play()


def test_the_command_writes_their_golden_values_and_keys(write, file, tmp_path, capsys):
    write({"compute1": ODD, "fake-mini": {}})
    keys, hosts = tmp_path / "keys.csv", tmp_path / "hosts.csv"
    assert main(["--cast", str(file), "--keys", str(keys), "--inventory", str(hosts)]) == 0
    assert hosts.read_text().splitlines() == ["host,pool", "compute1,cast", "fake-mini,cast"]
    assert len(keys.read_text().splitlines()) == 3
    file.write_text("nothing")
    assert main(["--cast", str(file), "--keys", os.devnull]) == 2
    assert "is not JSON" in capsys.readouterr().err
