"""The flavors' pages: what each shows, who may switch, and what is asked before."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from tests.cloud.fake import answer
from tests.cloud.living import Flavor, LivingCloud
from tests.clouds import REQUIRED, TRAIT, connected, look
from tests.web.visitors import text, visitor
from txt_dashboard.actions.governance import keys
from txt_dashboard.models import Activity, Cloud, CloudFlavor

pytestmark = pytest.mark.django_db
SET = "POST /nova/v2.1/flavors/f-1/os-extra_specs"


@pytest.fixture
def cloud(tmp_path, settings, fleet, clock) -> Iterator[LivingCloud]:
    """A cloud whose first two hosts are trusted, as workers saw it just now."""
    keys.create()
    fleet(hv1=None, hv2=None)
    with connected(tmp_path, settings) as made:
        made.boot("a", "f-1")
        clock.now = timezone.now()
        look(clock)
        yield made


def form(browser: Client, flavor: str = "f-1", **changes: str) -> dict[str, str]:
    """What the page would send."""
    page = text(browser.get(f"/flavors/{flavor}/"))
    seen = re.search(r'name="specs_hash" value="(\w+)"', page)[1]
    chosen = re.search(r'value="(\w+)" checked', page)[1]
    return {"to": chosen, "specs_hash": seen, "reason": "Contract 12.", **changes}


def row(name: str, page: str) -> str:
    """What the list says of one flavor."""
    (found,) = (each for each in re.findall(r"<tr id=.*?</tr>", page) if f">{name}</a>" in each)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found))


def test_each_flavor_has_a_switch_that_says_how_it_is(cloud) -> None:
    page = text(visitor("administrator").get("/flavors/"))
    assert re.findall(r'role="switch" aria-checked="(\w+)"', page) == ["true", "false"]
    assert "m1.safe on trusted hosts only" in row("m1.safe", page)
    assert "Placement as it was while we are down" in row("m1.safe", page)
    assert "Fits on 2 hosts" in row("m1.safe", page)
    assert "Instances 1 " in row("m1.small", page)


def test_the_page_says_how_old_its_knowledge_is_and_where_it_cannot_be_renewed(cloud, clock) -> None:
    assert "read <time" in text(visitor("viewer", name="v").get("/flavors/"))
    cloud.down = True
    Cloud.objects.update(flavors_due_at=None)
    look(clock)
    page = text(visitor("viewer", name="w").get("/flavors/"))
    assert "was asked to list the flavors" in page
    assert "What is shown was read <time" in page
    assert "m1.safe" in page


def test_no_trusted_host_left_is_told(cloud) -> None:
    Cloud.objects.get().hosts.update(host=None)
    page = text(visitor("viewer").get("/flavors/"))
    assert "No host is trusted now, so no instance of a trusted flavor can be scheduled anywhere." in page
    assert "no host" in row("m1.safe", page)


def test_a_flavor_that_only_looks_trusted_is_told(cloud, clock) -> None:
    cloud.flavors["f-3"] = Flavor("old.guide", {"trusted_host": "trusted"})
    Cloud.objects.update(flavors_due_at=None)
    look(clock)
    page = text(visitor("viewer").get("/flavors/"))
    assert "enforces nothing, whatever its value" in row("old.guide", page)


def test_flavors_are_in_the_frame_only_where_a_cloud_is(db) -> None:
    browser = visitor("viewer")
    assert 'href="/flavors/"' not in text(browser.get("/"))
    assert "No cloud is connected." in text(browser.get("/flavors/"))
    Cloud.objects.create(name="east")
    assert 'href="/flavors/"' in text(browser.get("/"))
    assert "No worker has looked at the flavors yet." in text(browser.get("/flavors/"))


def test_flavors_are_searched_and_come_in_pages(cloud) -> None:
    of = Cloud.objects.get()
    size = {"public": True, "vcpus": 1, "ram_mib": 1, "disk_gib": 0}
    CloudFlavor.objects.bulk_create(
        CloudFlavor(cloud=of, flavor_id=f"x{number}", name=f"x{number:03}", **size) for number in range(60)
    )
    browser = visitor("viewer")
    first = text(browser.get("/flavors/"))
    after = re.search(r'href="(/flavors/\?[^"]*after=[^"]*)"', first)[1]
    second = text(browser.get(after))
    names = [re.findall(r'cloud=east">([\w.]+)</a>', page) for page in (first, second)]
    assert len(names[0]) == 50
    assert len({*names[0], *names[1]}) == 62
    assert "m1.safe" not in text(browser.get("/flavors/?q=x01"))
    assert "No flavor is like that." in text(browser.get("/flavors/?q=nothing"))


def test_the_confirmation_says_what_will_be_set(cloud) -> None:
    page = text(visitor("administrator").get("/flavors/f-1/"))
    assert 'value="trait" checked' in page
    assert f"sets <code>trait:{TRAIT}=required</code>" in page
    assert "sets <code>trust:trusted_host=trusted</code>" in page
    assert "<code>hw:cpu_policy=shared</code>" in page
    page = text(visitor("administrator", name="b").get("/flavors/f-2/"))
    assert 'value="none" checked' in page
    assert f"removes <code>trait:{TRAIT}</code>" in page


def test_an_administrator_switches_a_flavor_on_and_off(cloud) -> None:
    browser = visitor("administrator", name="ada")
    done = browser.post("/flavors/f-1/", form(browser), follow=True)
    assert "m1.small asks for trusted hosts now." in text(done)
    assert cloud.flavors["f-1"].specs == {"hw:cpu_policy": "shared"} | REQUIRED
    assert "1 keeps an old demand" in row("m1.small", text(done))
    done = browser.post("/flavors/f-1/", form(browser), follow=True)
    assert "m1.small asks for any host." in text(done)
    assert cloud.flavors["f-1"].specs == {"hw:cpu_policy": "shared"}
    entry = Activity.objects.filter(verb="set flavor trust", of=None).last()
    assert (entry.actor, entry.detail["reason"]) == ("ada", "Contract 12.")
    assert "made the flavor <b>m1.small</b> an ordinary one" in text(browser.get("/activity/"))


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
def test_others_see_why_they_may_not(cloud, role) -> None:
    browser = visitor(role)
    for path in ("/flavors/", "/flavors/f-1/"):
        page = text(browser.get(path))
        assert "Only administrators change what flavors ask for." in page
        assert 'disabled aria-describedby="why-not"' in page
    asked = len(cloud.asked)
    assert browser.post("/flavors/f-1/", form(visitor("administrator"))).status_code == 403
    assert len([each for each in cloud.asked[asked:] if each.method != "GET"]) == 0


def test_a_reason_is_needed_and_what_was_chosen_is_kept(cloud) -> None:
    browser = visitor("administrator")
    answered = browser.post("/flavors/f-1/", form(browser, reason=" ", to="both"))
    assert answered.status_code == 400
    assert "Say why" in text(answered)
    assert 'value="both" checked' in text(answered)
    assert cloud.flavors["f-1"].specs == {"hw:cpu_policy": "shared"}


def test_nonsense_is_refused(cloud) -> None:
    browser = visitor("administrator")
    assert browser.post("/flavors/f-1/", form(browser, to="magic")).status_code == 400
    assert browser.post("/flavors/f-1/", form(browser, specs_hash="")).status_code == 400
    assert browser.post("/flavors/f-9/", form(browser)).status_code == 404
    assert browser.post("/flavors/f-1/?cloud=west", form(browser)).status_code == 404
    assert browser.get("/flavors/?cloud=west").status_code == 404
    assert browser.get("/flavors/?q=%00&after=%00").status_code == 200
    assert browser.put("/flavors/f-1/").status_code == 405


def test_a_form_from_elsewhere_changes_nothing(cloud) -> None:
    browser = visitor("administrator")
    sent = form(browser)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert strict.post("/flavors/f-1/", sent).status_code == 403
    assert cloud.flavors["f-1"].specs == {"hw:cpu_policy": "shared"}


def test_what_changed_meanwhile_is_shown_before_it_is_decided_anew(cloud) -> None:
    browser = visitor("administrator")
    sent = form(browser)
    cloud.flavors["f-1"].specs["hw:mem_page_size"] = "large"
    answered = browser.post("/flavors/f-1/", sent)
    assert answered.status_code == 409
    assert "were changed since you saw them" in text(answered)
    assert "hw:mem_page_size=large" in text(answered)
    assert "Contract 12." in text(answered)
    again = re.search(r'name="specs_hash" value="(\w+)"', text(answered))[1]
    assert browser.post("/flavors/f-1/", {**sent, "specs_hash": again}).status_code == 302


def test_a_cloud_that_fails_is_told_and_nothing_looks_done(cloud) -> None:
    browser = visitor("administrator")
    cloud.on(SET, answer({}, 403))
    answered = browser.post("/flavors/f-1/", form(browser))
    assert answered.status_code == 502
    assert "the account needs the role admin" in text(answered)
    assert 'aria-checked="false"' in text(browser.get("/flavors/?q=small"))


def test_odd_names_and_ids_break_no_page(cloud, clock) -> None:
    cloud.flavors["a/b ?#<b>"] = Flavor("<script>alert(1)</script>", {"x<": "<b>"})
    Cloud.objects.update(flavors_due_at=None)
    look(clock)
    browser = visitor("administrator")
    raw = browser.get("/flavors/").content.decode()
    assert "<script>alert" not in raw
    page = browser.get("/flavors/a%2Fb%20%3F%23%3Cb%3E/")
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
