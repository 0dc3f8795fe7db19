"""From the settings to accounts at a cloud."""

import os
import subprocess
import sys

import pytest
import yaml

from txt_dashboard.actions.clouds.connect import connect
from txt_dashboard.actions.clouds.keeper import Keeper
from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.models import Cloud

AUTH = {"auth_url": "https://keystone.example.org:5000/v3", "username": "admin", "password": "p", "project_name": "a"}


@pytest.fixture
def clouds(settings, tmp_path):
    def write(**entries: dict) -> None:
        file = tmp_path / "clouds.yaml"
        file.write_text(yaml.safe_dump({"clouds": entries}))
        settings.TXT_CLOUDS_FILE = str(file)

    return write


def test_an_entry_of_its_own_is_used_for_traits(clouds):
    clouds(east={"auth": AUTH}, **{"east-traits": {"auth": {**AUTH, "username": "keeper"}}})
    accounts = connect("east")
    assert accounts.compute.login.auth["username"] == "admin"
    assert accounts.placement.login.auth["username"] == "keeper"
    assert accounts.placement.login.cloud == "east"


def test_without_one_a_single_account_does_all(clouds):
    clouds(east={"auth": AUTH})
    accounts = connect("east")
    assert accounts.compute is accounts.placement


def test_without_a_file_the_environment_names_the_cloud(settings, monkeypatch):
    settings.TXT_CLOUDS_FILE = ""
    monkeypatch.setenv("OS_AUTH_URL", "https://keystone.example.org:5000/v3")
    monkeypatch.setenv("OS_USERNAME", "somebody")
    login = connect("east").compute.login
    assert (login.cloud, login.auth["username"]) == ("east", "somebody")


def test_a_cloud_that_is_not_in_the_file_is_named(clouds):
    clouds(west={"auth": AUTH})
    with pytest.raises(Misconfigured, match="has no cloud east"):
        connect("east")


@pytest.mark.django_db
def test_what_is_misconfigured_is_told_on_its_cloud_and_costs_no_other(clouds, settings, clock):
    clouds(west={"auth": AUTH})
    settings.TXT_CLOUDS = ["east"]
    keeper = Keeper(connect, clock)
    keeper.match()
    keeper.keep_traits()
    cloud = Cloud.objects.get()
    assert "has no cloud east" in cloud.problem
    assert "has no cloud east" in cloud.match_problem
    assert cloud.lease_until is None


@pytest.mark.django_db
def test_a_trait_that_placement_would_not_take_is_refused(clouds, settings, clock):
    clouds(east={"auth": AUTH})
    settings.TXT_CLOUDS, settings.TXT_CLOUD_TRAIT = ["east"], "HW_CPU_X86_AVX"
    Keeper(connect, clock).keep_traits()
    assert "TXT_CLOUD_TRAIT" in Cloud.objects.get().problem


@pytest.mark.parametrize(
    ("clouds", "rung"),
    [("", {"tick"}), ("east", {"tick", "keep_traits", "match_clouds", "look_at_flavors", "watch_instances"})],
)
def test_workers_are_rung_for_clouds_where_there_are_any(clouds, rung):
    code = "from txt_dashboard.celery import app; print(*app.conf.beat_schedule)"
    environment = {**os.environ, "TXT_CLOUDS": clouds}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) == rung


@pytest.mark.django_db
def test_without_clouds_nothing_is_asked(settings, clock):
    settings.TXT_CLOUDS = []
    keeper = Keeper(connect, clock)
    keeper.match()
    keeper.keep_traits()
    assert not Cloud.objects.exists()
