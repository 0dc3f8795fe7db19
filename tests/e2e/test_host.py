"""The Host page: golden against actual, why, and what came before."""

import json

import pytest

from tests.e2e.product import STORY

pytestmark = pytest.mark.browser

UPDATED, ODD = STORY.kernel_update.hosts[3], STORY.odd_loader.hosts[0]
UNENROLLED = STORY.not_enrolled.hosts[0]


def test_the_differing_register_stands_first_golden_against_actual(viewer):
    viewer.open(f"/hosts/{ODD}/")
    viewer.reads(".headline", "1 of 7 registers differs from the closest approved baselines")
    row = "table.registers:not(.values) tbody tr"
    assert len(viewer.all(row)) == 1
    assert viewer.text(f"{row} th") == "4"
    golden, actual = (each.text for each in viewer.all(f"{row} .digest"))
    assert len(golden) == len(actual) == 40
    assert golden != actual
    marks = [each.text for each in viewer.all(f"{row} mark")]
    assert marks[0] != marks[1]
    assert viewer.text(f"{row} .differs") == "differs"


def test_unchanged_registers_are_folded_and_stay_as_the_reader_left_them(viewer):
    viewer.open(f"/hosts/{ODD}/")
    fold = "details[id^=matching]"
    viewer.reads(f"{fold} summary", "6 registers match: 0, 2, 7, 17, 18, 19")
    viewer.click(f"{fold} summary")
    assert len(viewer.one(f"{fold} table").find_elements("css selector", "tbody tr")) == 6
    viewer.run("document.getElementById('host').dataset.old = 'yes'; htmx.trigger(document.body, 'fleet-changed')")
    viewer.gone("#host[data-old]")
    assert viewer.one(f"{fold} table")


def test_both_verdicts_and_every_step_are_told(viewer):
    viewer.open(f"/hosts/{UPDATED}/")
    viewer.reads("#host aside", "Both must say trusted. They agree.")
    steps = [each.text for each in viewer.all("ol.steps li")]
    assert any("VMM differs from VMM 6.1.0-37 (R640)" in step for step in steps)
    assert any("Platform matches" in step for step in steps)
    viewer.reads("#host aside", "oat-1's word, no quote given")
    assert len(viewer.all("#host aside .cells a")) == 13


def test_a_host_that_the_server_does_not_know_says_what_to_do(viewer):
    viewer.open(f"/hosts/{UNENROLLED}/")
    viewer.reads(".reason", "oat-1 does not know this host.")
    viewer.reads(".empty", f"Enrol it with oat-1 under exactly this name: {UNENROLLED}.")


def test_the_history_tells_what_became_of_it(viewer):
    viewer.open(f"/hosts/{UPDATED}/")
    viewer.click("#tab-history")
    viewer.reads(".timeline", "Differs from the closest approved baseline in PCR 18, 19.")
    assert viewer.path == f"/hosts/{UPDATED}/history/"


def test_the_evidence_can_be_taken_along(viewer):
    viewer.open(f"/hosts/{UPDATED}/")
    viewer.click("#tab-evidence")
    viewer.reads(".bank:not([id])", "SHA1 24 registers")
    text = viewer.driver.execute_async_script(
        "const done = arguments[0]; fetch('?download').then((answer) => answer.text()).then(done, done)"
    )
    document = json.loads(text)
    assert document["host"] == UPDATED
    assert len(document["evidence"][0]["registers"]["sha1"]) == 24


def test_attest_now_brings_newer_evidence_while_one_looks(operator):
    operator.open("/hosts/az1-001/")
    stayed = operator.stays()
    due = "return document.querySelector('#host aside dl.facts time[data-ago]').dateTime"
    before = operator.run(due)
    operator.click("#attest-now")
    operator.until(lambda: operator.run(due) > before, "no newer evidence came", seconds=30)
    assert stayed()


def test_a_name_that_no_host_has_is_one_sentence(viewer):
    viewer.forgive("status of 404")
    viewer.open("/hosts/nobody/")
    viewer.reads("main", "No host is called nobody.")
