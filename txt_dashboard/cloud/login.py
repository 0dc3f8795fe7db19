"""How to log in to a cloud: from `clouds.yaml`, as OpenStack's own clients read it, or from OS_* variables.

Read by ourselves, not by openstacksdk: of its formats we need these few keys, and not its 40 services. A cloud that
takes separate accounts for what needs `admin` and what needs only `service` has two entries in the file.
https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from keystoneauth1.exceptions import ClientException
from keystoneauth1.loading import BaseLoader, get_plugin_loader
from keystoneauth1.plugin import BaseAuthPlugin

from txt_dashboard.cloud.errors import Misconfigured

_LARGEST_FILE = 1024 * 1024  # bytes
_DEFAULT_TYPE = "password"  # keystoneauth's own: Keystone v3 or v2, whichever there is
_INTERFACES = ("public", "internal", "admin")
# OS_* variables that say something else than an option of the log-in itself.
_NOT_LOGIN = frozenset({"auth_type", "region_name", "interface", "endpoint_type", "cacert", "cert", "key"})


@dataclass(frozen=True, slots=True)
class Login:
    """One account at one cloud. Immutable: a change makes a new connection."""

    cloud: str  # what pages and errors call the cloud
    auth: Mapping[str, str]  # the options of the log-in, as keystoneauth names them
    auth_type: str = _DEFAULT_TYPE
    region: str = ""  # empty: the catalog's only one
    interface: str = "public"
    ca_file: str = ""  # trust these authorities instead of the system's
    certificate: str = ""  # of ours, for clouds that ask for one
    key: str = ""

    def __repr__(self) -> str:
        return f"Login({self.cloud!r}, {self.auth_url!r})"  # never the secrets

    @property
    def auth_url(self) -> str:
        """Where Keystone is."""
        return self.auth.get("auth_url", "")

    def plugin(self) -> BaseAuthPlugin:
        """What logs in; raises `Misconfigured` where options are missing, unknown or of another type of log-in."""
        loader: BaseLoader[BaseAuthPlugin]
        try:
            loader = get_plugin_loader(self.auth_type)
        except ClientException:
            raise Misconfigured(f"cloud {self.cloud}: there is no auth_type {self.auth_type!r}") from None
        options = loader.get_options()
        names = {option.dest: option.dest for option in options}
        names |= {old.dest: option.dest for option in options for old in option.deprecated}
        if unknown := sorted(self.auth.keys() - names.keys()):
            raise Misconfigured(f"cloud {self.cloud}: auth_type {self.auth_type} has no option {', '.join(unknown)}")
        given = {names[name]: value for name, value in self.auth.items()}
        try:
            plugin: BaseAuthPlugin = loader.load_from_options(**given)
        except (ClientException, TypeError, ValueError):
            needed = ", ".join(option.dest for option in options if option.required and option.dest not in given)
            clause = f"the log-in lacks {needed}" if needed else "the options of the log-in contradict each other"
            raise Misconfigured(f"cloud {self.cloud}: {clause}") from None
        return plugin


def read_clouds(clouds_file: Path) -> Mapping[str, Login]:
    """Every cloud of a `clouds.yaml`, with what a `secure.yaml` beside it adds; raises `Misconfigured`."""
    clouds = _clouds_of(clouds_file)
    secure_file = clouds_file.with_name("secure.yaml")
    secrets = _clouds_of(secure_file) if secure_file.exists() else {}
    return {name: _login(name, _merged(entry, secrets.get(name, {}))) for name, entry in clouds.items()}


def from_environment(environment: Mapping[str, str], name: str = "envvars") -> Login:
    """The cloud that OS_* variables speak of, as an `openrc` file sets them; raises `Misconfigured`."""
    given = {key[3:].lower(): value for key, value in environment.items() if key.startswith("OS_") and value}
    if "auth_url" not in given:
        raise Misconfigured("no cloud is named: set OS_AUTH_URL and the other OS_* variables, or name a clouds.yaml")
    auth_type = given.get("auth_type", _DEFAULT_TYPE)
    try:
        options = get_plugin_loader(auth_type).get_options()
    except ClientException:
        raise Misconfigured(f"there is no OS_AUTH_TYPE {auth_type!r}") from None
    known = {option.dest for option in options}
    known |= {old.dest for option in options for old in option.deprecated}
    # Unlike a file, an environment holds variables for other programs too: what this log-in does not know is theirs.
    auth = {key: value for key, value in given.items() if key in known and key not in _NOT_LOGIN}
    interface = given.get("interface", given.get("endpoint_type", "public"))
    return _login(name, {**given, "auth": auth, "auth_type": auth_type, "interface": interface})


def _clouds_of(file: Path) -> dict[str, dict[str, Any]]:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_FILE + 1)
        document = yaml.safe_load(content) if len(content) <= _LARGEST_FILE else None
    except OSError as error:
        raise Misconfigured(f"{file} can't be read: {error.strerror}") from None
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError, ValueError):
        raise Misconfigured(f"{file} is no YAML") from None
    clouds = document.get("clouds") if isinstance(document, dict) else None
    if not isinstance(clouds, dict) or not all(isinstance(entry, dict) for entry in clouds.values()):
        raise Misconfigured(f"{file} has no mapping of clouds")
    return {str(name): entry for name, entry in clouds.items()}


def _merged(entry: Mapping[str, Any], secret: Mapping[str, Any]) -> dict[str, Any]:
    auths = (entry.get("auth", {}), secret.get("auth", {}))
    auth = {key: value for each in auths if isinstance(each, dict) for key, value in each.items()}
    return {**entry, **secret, "auth": auth}


def _login(name: str, entry: Mapping[str, Any]) -> Login:
    def text(*keys: str) -> str:
        return next((str(entry[key]) for key in keys if entry.get(key) is not None), "")

    if entry.get("profile") or entry.get("cloud"):
        raise Misconfigured(f"cloud {name}: profiles of vendors are not read: write auth_url and the rest out")
    if str(entry.get("verify", True)).lower() in ("false", "no", "0") or entry.get("insecure"):
        raise Misconfigured(f"cloud {name}: TLS is always verified: name the authority in cacert instead")
    auth = {str(key): str(value) for key, value in entry["auth"].items() if value is not None}
    interface = (text("interface", "endpoint_type") or "public").removesuffix("URL")
    if interface not in _INTERFACES:
        raise Misconfigured(f"cloud {name}: interface must be one of {', '.join(_INTERFACES)}, not {interface}")
    if not auth.get("auth_url", "").startswith(("http://", "https://")):
        raise Misconfigured(f"cloud {name}: auth_url must begin with https:// (or http://)")
    return Login(
        cloud=name,
        auth=auth,
        auth_type=text("auth_type") or _DEFAULT_TYPE,
        region=text("region_name"),
        interface=interface,
        ca_file=text("cacert"),
        certificate=text("cert"),
        key=text("key"),
    )
