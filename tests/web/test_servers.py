"""The list of attestation servers: how each fares, in words, and how old the evidence is that it gave."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.rows import make_host, make_server
from tests.web.visitors import browser_of, text, visitor
from txt_dashboard.models import Attestation, Proposal, Server

pytestmark = pytest.mark.django_db
QUERIES = 25


@pytest.fixture
def stored() -> Server:
    return make_server(url="https://127.0.0.1:8443")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"enabled": False}, "Switched off"),
        ({}, "No answer yet"),
        ({"answered_at": timezone.now()}, "Answering"),
        ({"failures": 1, "error": "refused"}, "1 attempt without an answer"),
        ({"failures": 4, "retry_at": timezone.now() + timedelta(minutes=5)}, "4 attempts in a row"),
        ({"ahead_s": 3.2, "answered_at": timezone.now()}, "3 s ahead of ours"),
        ({"simulated": True}, "simulated"),
        ({"remarks": ["2 hosts were not asked for"]}, "2 hosts were not asked for"),
    ],
)
def test_how_a_server_fares_is_said_in_words(row, said) -> None:
    make_server(**row)
    assert said in text(visitor("viewer").get("/servers/"))


def test_a_server_that_is_left_alone_says_until_when() -> None:
    make_server(failures=4, retry_at=timezone.now() + timedelta(minutes=5, seconds=30), error="refused")
    page = visitor("viewer").get("/servers/").content.decode()
    assert "the next one <time" in page
    assert "in 5 min" in page


def test_health_is_never_green() -> None:
    make_server(answered_at=timezone.now())
    assert "is-trusted" not in visitor("administrator").get("/servers/").content.decode()


def test_hosts_are_counted_by_how_old_their_evidence_is(stored) -> None:
    now = timezone.now()
    for number, (begin, end, answered) in enumerate(
        [(-1, 5, True), (-1, 5, True), (-9, -5, True), (-9, -5, False), (None, None, False)]
    ):
        host = make_host(f"hv{number}", stored)
        moments = [None if each is None else now + timedelta(minutes=each) for each in (begin, end)]
        Attestation.objects.filter(host=host).update(
            counts_from=moments[0], valid_until=moments[1], answered=answered
        )
    page = text(visitor("administrator").get("/servers/"))
    assert "5 hosts: 2 with fresh evidence, 1 stale, 1 stale and out of reach, 1 without evidence" in page


def test_a_test_shows_that_it_runs_and_then_its_result(stored) -> None:
    browser = visitor("operator")
    page = browser.post(f"/servers/{stored.pk}/test/", follow=True)
    assert "Testing…" in text(page)
    assert "every 2s" in text(page)
    Server.objects.update(
        test_requested_at=None, tested_at=timezone.now(), test_passed=False, test_result="The certificate expired."
    )
    page = text(browser.get("/servers/"))
    assert "The certificate expired." in page
    assert "Testing…" not in page
    assert "every 2s" not in page


def test_a_test_that_no_worker_does_says_so_and_can_be_asked_for_again(stored) -> None:
    Server.objects.update(test_requested_at=timezone.now() - timedelta(minutes=5))
    page = text(visitor("operator").get("/servers/"))
    assert "no worker has done it" in page
    assert "every 2s" not in page
    assert "disabled" not in page.partition('id="servers"')[2]


def test_what_servers_say_is_text_and_nothing_else() -> None:
    hostile = "<script>alert('oat')</script>"
    make_server(remarks=[hostile], error=hostile, failures=1, test_result=hostile, tested_at=timezone.now())
    assert "<script>alert" not in visitor("administrator").get("/servers/").content.decode()


# --- Whose word counts --------------------------------------------------------------------------


def test_each_server_says_whether_its_word_counts() -> None:
    make_server("oat-1")
    make_server("oat-2", counts=False)
    first, second = text(visitor("viewer").get("/servers/")).split('class="sheet server"')[1:]
    assert "yes: approved at this address" in first
    assert "no: only observed" in second
    assert "Approvers and administrators propose to change that." in second


def test_letting_a_server_count_makes_a_proposal_that_the_row_then_links(stored, people) -> None:
    server = make_server("oat-2", counts=False)
    browser = browser_of(people.ada)
    page = text(browser.get(f"/servers/{server.pk}/counting/"))
    assert "Let oat-2 count" in page
    assert "without TLS" in page
    answer = browser.post(f"/servers/{server.pk}/counting/", {"counts": "yes", "reason": ""})
    assert answer.status_code == 400
    assert "Say why" in text(answer)
    browser.post(f"/servers/{server.pk}/counting/", {"counts": "yes", "reason": "The new site."})
    made = Proposal.objects.get()
    assert (made.title, made.reason) == ("oat-2 counts", "The new site.")
    server.refresh_from_db()
    assert not server.counts
    assert f"proposal {made.pk} changes that" in text(browser.get("/servers/"))
    again = browser.post(f"/servers/{server.pk}/counting/", {"counts": "yes", "reason": "Once more."})
    assert again.status_code == 409
    assert "Once more.</textarea>" in text(again)


def test_a_server_that_counts_can_be_only_observed_again(stored, people) -> None:
    browser = browser_of(people.anna)
    assert "Only observe oat-1" in text(browser.get(f"/servers/{stored.pk}/counting/"))
    browser.post(f"/servers/{stored.pk}/counting/", {"counts": "no", "reason": "It was broken into."})
    assert Proposal.objects.get().title == "oat-1 is only observed"


def test_who_may_not_propose_that_is_told_why(stored, people) -> None:
    browser = browser_of(people.olga)
    assert "Only approvers and administrators propose this." in text(browser.get(f"/servers/{stored.pk}/counting/"))
    assert browser.post(f"/servers/{stored.pk}/counting/", {"counts": "no", "reason": "x"}).status_code == 403
    assert browser.get("/servers/99/counting/").status_code == 404


def test_the_first_server_is_asked_for_where_there_is_none() -> None:
    assert "No attestation server yet." in text(visitor("administrator").get("/servers/"))


def test_the_number_of_queries_does_not_grow_with_servers_and_hosts(stored) -> None:
    browser = visitor("administrator")
    counts = []
    for size in (1, 12):
        for number in range(Server.objects.count(), size):
            server = make_server(f"oat-{number + 1}")
            for host in range(5):
                make_host(f"hv{number}-{host}", server)
        with CaptureQueriesContext(connection) as captured:
            assert browser.get("/servers/").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= QUERIES
