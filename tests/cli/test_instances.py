"""The command's view of instances; its check passes only where a host is trusted, whatever else goes wrong."""

import json
from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.utils import timezone

from tests.api import owners
from tests.api.callers import key_of
from tests.api.owners import WEB
from tests.cloud.fake import serve
from tests.cloud.owning import OwningCloud
from tests.factories import evidence
from tests.web.conftest import fleet, oat, static_root  # noqa: F401 - the same fleet as the pages'
from txt_dashboard.actions.permissions import Role
from txt_dashboard.attest.evidence import Verdict
from txt_dashboard.cli.__main__ import main
from txt_dashboard.models import Attestation, Host

pytestmark = pytest.mark.django_db(transaction=True)
WAITED = "txt_dashboard.cli.instances.time.sleep"


@pytest.fixture
def cloud(live_server, fleet, clock, settings, monkeypatch, tmp_path) -> Iterator[OwningCloud]:  # noqa: F811
    caches["api"].clear()
    with serve(OwningCloud()) as served:
        owners.name_cloud(served, settings, tmp_path)
        fleet(hv1=None, hv2=evidence(at=clock(), verdict=Verdict.UNTRUSTED), hv3=None)
        Attestation.objects.filter(host__name="hv3").update(valid_until=timezone.now())
        owners.populate(served)
        for name in ("TXT_API_KEY", "TXT_API_KEY_FILE", "TXT_API_TOKEN_FILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TXT_API_URL", live_server.url)
        monkeypatch.setenv("OS_TOKEN", served.grant("mia", WEB, "member"))
        yield served


def test_a_project_lists_its_own(cloud, capsys):
    assert main(["instances"]) == 0
    told = capsys.readouterr().out
    head, *rows = told.splitlines()
    assert head.split() == ["ID", "NAME", "ASKS", "ITS", "HOST", "IS", "SINCE", "WHY"]
    assert len(rows) == 7
    assert "untrusted (at stake)" in told
    assert "compute-service" not in told
    assert main(["--json", "instances"]) == 0
    assert {each["id"][:4] for each in json.loads(capsys.readouterr().out)["items"]} == {"web0"}


def test_whoever_has_a_role_lists_all(cloud, capsys, monkeypatch):
    assert main(["instances", "--all"]) == 1
    assert "may not view" in capsys.readouterr().err
    monkeypatch.setenv("TXT_API_KEY", key_of(Role.VIEWER))
    assert main(["instances", "--all", "--at-stake", "--host", "hv2"]) == 0
    told = capsys.readouterr().out
    assert "bank-bad" in told
    assert "hv2" in told
    assert "bank-good" not in told


@pytest.mark.parametrize(
    ("instance", "code"),
    [("web0-good", 0), ("web0-bad", 4), ("web0-old", 4), ("web0-dark", 4), ("web0-moving", 4), ("bank-good", 1)],
)
def test_the_check_passes_only_where_the_host_is_trusted(cloud, capsys, instance, code):
    assert main(["instance", "check", instance]) == code


def test_the_check_says_what_it_does_not_mean(cloud, capsys):
    main(["instance", "check", "web0-good"])
    assert "attacks inside an instance" in capsys.readouterr().out


def test_it_waits_until_the_host_is_trusted(cloud, capsys, monkeypatch):
    waits: list[float] = []

    def mend(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            cloud.nova_status = 503
        if len(waits) == 3:
            cloud.nova_status = 200
            cloud.servers["web0-bad"]["host"] = "compute-service-1"

    monkeypatch.setattr(WAITED, mend)
    assert main(["instance", "check", "web0-bad", "--wait", "--timeout", "60"]) == 0
    assert len(waits) == 3


def test_it_does_not_wait_for_ever(cloud, monkeypatch):
    monkeypatch.setattr(WAITED, lambda _seconds: None)
    assert main(["instance", "check", "web0-bad", "--wait", "--timeout", "0.2"]) == 4


def test_without_waiting_a_cloud_that_does_not_answer_is_no_pass(cloud, capsys):
    cloud.nova_status = 503
    assert main(["instance", "check", "web0-good"]) == 1
    assert "could not be asked" in capsys.readouterr().err


def test_a_service_that_does_not_answer_is_no_pass(cloud, monkeypatch):
    monkeypatch.setenv("TXT_API_URL", "http://127.0.0.1:9")
    assert main(["instance", "check", "web0-good"]) == 3


def test_trust_that_is_lost_is_noticed(cloud):
    Host.objects.filter(name="hv1").update(state="untrusted")
    assert main(["instance", "check", "web0-good"]) == 4
