"""What the page of golden values says of the servers' own lists."""

import re

import pytest

from tests.factories import BASELINES, NOON
from tests.rows import make_server, write_reference
from tests.web.visitors import visitor
from txt_dashboard.models import Whitelisted

pytestmark = pytest.mark.django_db


@pytest.fixture
def oat():
    server = make_server()
    write_reference(server, BASELINES)
    return server


def judged_by(server, part: str, values: dict[int, bytes], **more: object) -> Whitelisted:
    return Whitelisted.objects.create(
        server=server,
        mle={"name": f"MLE <{part}>", "version": "1"},
        part=part,
        values={str(index): value.hex() for index, value in values.items()},
        hosts=3,
        first_hosts=["hv1"],
        pools=["az1"],
        since=NOON,
        **more,
    )


def page(name: str = "vera") -> str:
    """The page's words, without its tags."""
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", visitor("viewer", name=name).get("/baselines/").content.decode())
    )


def test_what_is_approved_here_and_not_at_the_server_says_so(oat) -> None:
    judged_by(oat, "platform", BASELINES[0].values)
    said = page()
    assert "VMM 1 approved here, not yet at oat-1" in said
    assert "BIOS 1 approved here" not in said


def test_values_at_the_server_that_nobody_approved_are_a_finding(oat) -> None:
    for each in BASELINES:
        judged_by(oat, each.part, each.values)
    assert "All approved values are at the servers, and no others." in page()
    judged_by(oat, "vmm", {18: b"x" * 20})
    said = page("vincent")
    assert "oat-1 judges by values that nobody approved" in said
    assert "MLE &lt;vmm&gt; 1" in said


def test_a_server_that_takes_none_or_is_only_observed_is_not_spoken_of(db) -> None:
    make_server(counts=False)
    assert "At the servers" not in page()
