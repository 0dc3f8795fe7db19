"""How a cloud is named: clouds.yaml as OpenStack's own clients read it, or OS_* variables."""

import pytest

from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.cloud.login import from_environment, read_clouds

CLOUDS = """
clouds:
  east:
    auth:
      auth_url: https://keystone.example.org:5000/v3
      username: dashboard
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    interface: internal
    cacert: /etc/ssl/east.pem
    identity_api_version: 3
  east-traits:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://keystone.example.org:5000/v3
      application_credential_id: abc
      application_credential_secret: hush
"""
SECRET = "clouds: {east: {auth: {password: 12345}}}"
OPENRC = {
    "OS_AUTH_URL": "https://keystone.example.org:5000/v3",
    "OS_USERNAME": "dashboard",
    "OS_PASSWORD": "hush",
    "OS_PROJECT_NAME": "admin",
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_PROJECT_DOMAIN_NAME": "Default",
    "OS_REGION_NAME": "RegionOne",
    "OS_INTERFACE": "public",
    "OS_IDENTITY_API_VERSION": "3",
    "OS_VOLUME_API_VERSION": "3",
    "PATH": "/bin",
}


@pytest.fixture
def clouds_file(tmp_path):
    file = tmp_path / "clouds.yaml"
    file.write_text(CLOUDS)
    (tmp_path / "secure.yaml").write_text(SECRET)
    return file


def one(tmp_path, entry: str):
    file = tmp_path / "clouds.yaml"
    file.write_text(f"clouds: {{east: {entry}}}")
    return read_clouds(file)["east"]


def test_a_file_names_any_number_of_clouds_and_accounts(clouds_file):
    clouds = read_clouds(clouds_file)
    east = clouds["east"]
    assert (east.auth_url, east.region, east.interface) == (
        "https://keystone.example.org:5000/v3",
        "RegionOne",
        "internal",
    )
    assert east.ca_file == "/etc/ssl/east.pem"
    assert clouds["east-traits"].auth_type == "v3applicationcredential"
    for each in clouds.values():
        each.plugin()


def test_secrets_may_stand_in_a_file_of_their_own(clouds_file):
    assert read_clouds(clouds_file)["east"].auth["password"] == "12345"


def test_a_login_never_shows_its_secrets(clouds_file):
    clouds = read_clouds(clouds_file)
    assert "12345" not in repr(clouds)
    assert "hush" not in repr(clouds)


def test_an_openrc_will_do():
    login = from_environment(OPENRC)
    assert (login.region, login.interface, login.auth["username"]) == ("RegionOne", "public", "dashboard")
    assert "identity_api_version" not in login.auth
    login.plugin()


def test_an_environment_that_names_no_cloud_is_told():
    with pytest.raises(Misconfigured, match="OS_AUTH_URL"):
        from_environment({"PATH": "/bin"})


@pytest.mark.parametrize("insecure", ["verify: false", "verify: 'False'", "insecure: true"])
def test_tls_is_always_verified(tmp_path, insecure):
    with pytest.raises(Misconfigured, match="cacert"):
        one(tmp_path, f"{{auth: {{auth_url: 'https://k/v3'}}, {insecure}}}")


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{profile: acme, auth: {}}", "profiles"),
        ("{auth: {}}", "auth_url"),
        ("{auth: {auth_url: 'file:///etc/passwd'}}", "auth_url"),
        ("{auth: {auth_url: 'https://k/v3'}, interface: secret}", "interface"),
    ],
)
def test_an_entry_that_cannot_be_used_is_told_at_once(tmp_path, entry, told):
    with pytest.raises(Misconfigured, match=told):
        one(tmp_path, entry)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{auth: {auth_url: 'https://k/v3', user_nam: x}}", "user_nam"),
        ("{auth: {auth_url: 'https://k/v3'}, auth_type: magic}", "magic"),
        ("{auth: {auth_url: 'https://k/v3', password: hush}, auth_type: v3oidcpassword}", "lacks"),
    ],
)
def test_options_that_a_log_in_does_not_have_or_lacks_are_named(tmp_path, entry, told):
    login = one(tmp_path, entry)
    with pytest.raises(Misconfigured, match=told) as raised:
        login.plugin()
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "clouds: 1",
        "clouds: {a: 1}",
        "{",
        "a: &a [*a, *a]",
        "!!python/object/apply:os.system [true]",
        "[" * 5000,
    ],
)
def test_a_file_that_is_no_clouds_yaml_is_told(tmp_path, content):
    file = tmp_path / "clouds.yaml"
    file.write_text(content)
    with pytest.raises(Misconfigured, match=r"clouds\.yaml"):
        read_clouds(file)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Misconfigured, match="can't be read"):
        read_clouds(tmp_path / "clouds.yaml")
