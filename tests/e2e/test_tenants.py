"""Somebody who has only a project at the cloud: logs in by Keystone, sees their own instances, and nothing else."""

import pytest

from tests.e2e.product import STORY, Product
from tests.e2e.screen import Screen

pytestmark = pytest.mark.browser
NAMES = [host.name for host in STORY.fleet.hosts]


@pytest.fixture
def member(settled, screen) -> Screen:
    """The simulated cloud's member, logged in for the project web-shop."""
    return log_in(screen, settled, "member", "web-shop")


@pytest.fixture
def cloud_admin(settled, screen) -> Screen:
    """The simulated cloud's administrator, who is one here, too."""
    return log_in(screen, settled, "admin", "")


def log_in(screen: Screen, product: Product, name: str, project: str) -> Screen:
    screen.driver.delete_all_cookies()
    screen.open("/login/")
    screen.click("main a[href^='/login/keystone/']")
    screen.one("#id_domain")
    screen.fill("#id_project", project)
    screen.log_in(name, product.password)
    screen.gone("#id_domain")
    return screen


def rows(screen: Screen) -> dict[str, str]:
    """The instances that are shown, by name, as a person reads them."""
    found = [each.text.split("\n") for each in screen.all("table.instances tbody tr")]
    return {name: " ".join(rest) for name, *rest in found}


def test_a_member_sees_how_the_hosts_of_their_instances_stand(member):
    assert member.path == "/my-instances/"
    member.reads("main", "Project web-shop")
    told = rows(member)
    assert "Trusted" in told["web-1"]
    assert "yes by trait" in told["web-1"]
    assert "Untrusted" in told["web-3"]
    assert "What its host measured when it booted is not what was approved." in told["web-3"]
    assert "Unknown" in told["web-5"]
    member.reads("main", "asked for a trusted host and are not on one.")
    member.reads("main", "attacks inside an instance")


def test_no_host_is_named_and_no_other_page_offered(member):
    source = member.driver.page_source
    assert [name for name in NAMES if name in source] == []
    links = {each.get_attribute("href").removeprefix(member.address) for each in member.all("a[href]")}
    assert {link.partition("#")[0] for link in links} <= {"/", "/my-instances/", "/my-project/"}


def test_every_other_page_sends_them_back_to_their_own(member):
    member.forgive("status of 403")
    member.open("/servers/")
    member.reads("h1", "You may not see this")
    member.click("main a.btn")
    member.reads("h1", "My instances")
    member.open("/")
    member.reads("h1", "My instances")


def test_the_project_is_changed(member):
    member.click("#change-project")
    member.one("#id_project").send_keys("analytics")
    member.click("main button")
    member.reads("main", "Project analytics")
    assert "etl-1" in rows(member)
    assert "web-1" not in rows(member)


def test_it_looks_again_by_itself_and_keeps_the_page(member):
    stays = member.stays()
    member.run("const own = document.getElementById('own'); own.className = 'old'; htmx.trigger(own, 'look-again')")
    member.one("#own:not(.old) table.instances")
    assert stays()


def test_a_log_in_that_ran_out_leads_back(settled, member):
    member.open("/my-project/")  # which asks nothing by itself
    # As if the token had ended: the session is there, and Keystone calls its token good no more.
    settled.command(
        "shell",
        typed="from django.contrib.sessions.models import Session\n"
        "for row in Session.objects.all():\n"
        "    data = row.get_decoded()\n"
        "    if 'keystone' in data:\n"
        "        data['keystone']['ends'] = '2020-01-01T00:00:00+00:00'\n"
        "        row.session_data = Session.get_session_store_class()().encode(data)\n"
        "        row.save()\n",
    )
    member.open("/my-project/")
    member.reads("main", "Your log-in at Keystone has run out.")
    member.log_in("member", settled.password)
    member.reads("h1", "Change project")


def test_a_wrong_password_is_told(settled, screen):
    screen.open("/login/keystone/")
    screen.log_in("member", "not this one")
    screen.reads("#failed", "Keystone does not take this name and password in this domain.")


def test_logging_out_ends_it(member):
    member.click("header form button")
    member.reads("h1", "Log in")
    member.open("/my-instances/")
    member.reads("h1", "Log in")


def test_the_clouds_administrator_sees_what_is_at_stake_and_where(cloud_admin):
    cloud_admin.open("/instances/?at_stake=1")
    cloud_admin.until(lambda: "web-3" in rows(cloud_admin), "no instance came to be at stake", 90)
    told = rows(cloud_admin)
    assert "web-1" not in told
    cloud_admin.click("table.instances td a")
    cloud_admin.click("#tab-instances")
    cloud_admin.reads("main", "asked for a trusted host.")
    cloud_admin.open("/instances/at-stake/")
    cloud_admin.reads("main", "lasts")
