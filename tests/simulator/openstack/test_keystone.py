"""The simulated Keystone, asked as the product asks a real one."""

import pytest
import requests

from txt_dashboard.cloud import compute, errors
from txt_dashboard.cloud.tokens import validate
from txt_dashboard.simulator.openstack.people import project_named


def token(connection) -> str:
    found = connection.session.get_token()
    assert found is not None
    return found


def test_a_token_says_who_holds_it_and_where(cloud, admin, member):
    holder = validate(admin, token(member))
    assert (holder.user_name, holder.domain, holder.project_id) == ("member", "Default", project_named("web-shop").id)
    assert holder.roles == {"member", "reader"}
    assert holder.in_person
    assert validate(cloud.login("trust-traits", "service"), token(member)) == holder
    assert validate(admin, "never-was-one-of-ours") is None


def test_only_services_and_the_holder_are_told(member, admin):
    with pytest.raises(errors.RoleMissing):
        validate(member, token(admin))
    assert validate(member, token(member)) is not None


@pytest.mark.parametrize(
    ("user", "project", "password"),
    [("admin", "admin", "wrong"), ("nobody", "admin", "x"), ("member", "admin", None), ("member", "nowhere", None)],
)
def test_who_can_not_log_in(cloud, user, project, password):
    who = cloud.login(user, project, **({"password": password} if password else {}))
    with pytest.raises(errors.LoginRefused):
        compute.list_flavors(who)


def test_a_token_ends_by_time_or_by_its_holder(cloud, admin, clock):
    mine = token(cloud.login("member", "web-shop"))
    head = {"X-Auth-Token": mine, "X-Subject-Token": mine}
    assert requests.delete(f"{cloud.url}/identity/v3/auth/tokens", headers=head, timeout=5).status_code == 204
    assert validate(admin, mine) is None
    other = token(cloud.login("member", "web-shop"))
    clock.advance(days=20_001)
    again = cloud.login("admin", "admin")
    assert validate(again, other) is None


def test_a_person_changes_the_project_with_the_token(cloud, member):
    mine = token(member)
    address = f"{cloud.url}/identity/v3/auth"
    listed = requests.get(f"{address}/projects", headers={"X-Auth-Token": mine}, timeout=5).json()["projects"]
    assert [each["name"] for each in listed] == ["web-shop", "analytics"]
    scope = {"project": {"id": listed[1]["id"]}}
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": mine}}, "scope": scope}}
    answer = requests.post(f"{address}/tokens", json=body, timeout=5)
    told = answer.json()["token"]
    assert answer.status_code == 201
    assert (told["project"]["name"], [role["name"] for role in told["roles"]]) == ("analytics", ["reader"])
    assert told["methods"] == ["token", "password"]
    scope["project"]["id"] = project_named("admin").id
    assert requests.post(f"{address}/tokens", json=body, timeout=5).status_code == 401


def test_a_token_for_no_project_opens_nothing(cloud):
    body = {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {
                    "user": {"name": "member", "domain": {"id": "default"}, "password": "of everybody here"}
                },
            }
        }
    }
    answer = requests.post(f"{cloud.url}/identity/v3/auth/tokens", json=body, timeout=5)
    told = answer.json()["token"]
    assert "project" not in told
    assert "catalog" not in told
    head = {"X-Auth-Token": answer.headers["X-Subject-Token"], "OpenStack-API-Version": "compute 2.87"}
    assert requests.get(f"{cloud.url}/compute/v2.1/servers/detail", headers=head, timeout=5).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"auth": {}}', b'{"auth": {"identity": {"methods": 1}}}'])
def test_what_is_no_log_in_is_refused(cloud, body):
    answer = requests.post(f"{cloud.url}/identity/v3/auth/tokens", data=body, timeout=5)
    assert answer.status_code in (400, 401)


def test_a_restart_ends_all_tokens_and_connections_log_in_again(cloud, member):
    compute.list_flavors(member)
    cloud.cloud._apis[0].tokens._all.clear()
    assert compute.list_flavors(member)
