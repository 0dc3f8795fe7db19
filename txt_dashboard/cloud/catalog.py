"""Our own place in Keystone's catalog, by which Horizon's panels find the API. To register takes the role admin."""

from typing import Any

from txt_dashboard.cloud import errors
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.errors import Call
from txt_dashboard.cloud.faults import Role, named

TYPE = "trusted-compute"
NAME = "trusted-compute"
INTERFACES = ("public", "internal", "admin")


def register(connection: Connection, url: str, region: str, interfaces: tuple[str, ...] = ("public",)) -> list[str]:
    """Makes the service and its endpoints, and corrects addresses that differ. Returns what it did, as sentences.

    Run again it does nothing. Raises `CloudError`.
    """
    service, done = _service(connection)
    path = f"/endpoints?service_id={service}&region_id={region}"
    known = {each["interface"]: each for each in _ask(connection, "GET", path, "endpoints")}
    for interface in interfaces:
        wanted = {"service_id": service, "interface": interface, "region_id": region, "url": url}
        endpoint = known.get(interface)
        if endpoint is None:
            _ask(connection, "POST", "/endpoints", "endpoint", wanted)
            done.append(f"Made the {interface} endpoint {url} in {region}.")
        elif endpoint["url"] != url:
            _ask(connection, "PATCH", f"/endpoints/{endpoint['id']}", "endpoint", {"url": url})
            done.append(f"Moved the {interface} endpoint in {region} from {endpoint['url']} to {url}.")
    return done


def _service(connection: Connection) -> tuple[str, list[str]]:
    found = _ask(connection, "GET", f"/services?type={TYPE}", "services")
    if found:
        return str(found[0]["id"]), []
    made = _ask(
        connection, "POST", "/services", "service", {"type": TYPE, "name": NAME, "description": "Trusted Compute"}
    )
    return str(made["id"]), [f"Made the service {TYPE}."]


def _ask(connection: Connection, method: str, path: str, key: str, body: dict[str, str] | None = None) -> Any:
    address = connection.login.auth_url.rstrip("/")
    address = address if address.endswith("/v3") else f"{address}/v3"
    call = Call(connection.login.cloud, "Keystone", address, f"{method} {path.partition('?')[0]}")
    with named(call, Role.ADMIN):
        response = connection.session.request(f"{address}{path}", method, json=None if body is None else {key: body})
    try:
        return response.json()[key]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise errors.AnswerUnusable(call, "the answer is not what its API describes") from None
