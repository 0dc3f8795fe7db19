"""Placement: providers and their traits. Role for all of it: service.

Each function raises `CloudError`. https://docs.openstack.org/api-ref/placement/
"""

import time
from collections.abc import Callable, Iterable
from random import SystemRandom
from typing import Any
from urllib.parse import quote

from keystoneauth1.exceptions import BadRequest

from txt_dashboard.cloud.capacity import Request
from txt_dashboard.cloud.connection import Connection, Service
from txt_dashboard.cloud.errors import AnswerUnusable, NotThere, ServiceFailed, StaleGeneration
from txt_dashboard.cloud.faults import Role
from txt_dashboard.cloud.rows import Row, read, read_all
from txt_dashboard.cloud.values import Provider, ProviderTraits

_PLACEMENT = Service.PLACEMENT
_ATTEMPTS = 30  # of reading, merging and putting, while others change the same provider
_FAILURES = 6  # of these attempts may end in a failure of Placement itself
_LONGEST_PAUSE = 0.2  # seconds: a host that lost its trust must not keep the trait for long
_PAUSE = 0.02  # seconds: upper bound of the first pause; each further one may be twice as long
_jitter = SystemRandom().random


def list_providers(connection: Connection, *, having: str = "") -> tuple[Provider, ...]:
    """All resource providers in one request, or only those that have the trait `having`.

    Raises `RequestRefused` where that trait does not exist.
    """
    what = f"list the resource providers with {having}" if having else "list the resource providers"
    with connection.asking(_PLACEMENT, what, Role.SERVICE) as call:
        params = {"required": having} if having else {}
        answer = connection.ask(_PLACEMENT, "GET", "/resource_providers", call, params=params)
        return read_all(call, _under(answer.body, "resource_providers"), _provider)


def list_candidates(connection: Connection, wanted: Request, *, limit: int) -> frozenset[str]:
    """UUIDs of providers that could take this now, from at most `limit` candidates.

    None where a trait or a kind of resource is asked for that nobody ever had: Placement refuses such a question.
    """
    with connection.asking(_PLACEMENT, "list where a flavor would fit", Role.SERVICE) as call:
        traits = [*wanted.required, *(f"!{each}" for each in wanted.forbidden)]
        params = {"resources": ",".join(f"{name}:{amount}" for name, amount in wanted.resources), "limit": str(limit)}
        params |= {"required": ",".join(traits)} if traits else {}
        try:
            answer = connection.ask(_PLACEMENT, "GET", "/allocation_candidates", call, params=params)
        except BadRequest:
            return frozenset()
        found = read_all(call, _under(answer.body, "allocation_requests"), lambda row: row.names("allocations"))
        return frozenset(uuid for each in found for uuid in each)


def get_traits(connection: Connection, provider: str) -> ProviderTraits:
    """All traits of the provider with this UUID, and its generation; raises `NotThere`."""
    with connection.asking(_PLACEMENT, f"read the traits of provider {provider}", Role.SERVICE) as call:
        answer = connection.ask(_PLACEMENT, "GET", _traits_path(provider), call)
        return read(call, answer.body, lambda row: _traits(provider, row))


def put_traits(connection: Connection, provider: str, traits: Iterable[str], generation: int) -> ProviderTraits:
    """Makes these the provider's traits, all others go; what it has then.

    Raises `StaleGeneration` where the provider changed since that generation, `RequestRefused` for a trait that does
    not exist, `NotThere` for a provider that does not.
    """
    with connection.asking(_PLACEMENT, f"set the traits of provider {provider}", Role.SERVICE) as call:
        body = {"traits": sorted(traits), "resource_provider_generation": generation}
        answer = connection.ask(_PLACEMENT, "PUT", _traits_path(provider), call, json=body)
        return read(call, answer.body, lambda row: _traits(provider, row))


def create_trait(connection: Connection, name: str) -> bool:
    """Makes sure that the custom trait exists; whether it is new."""
    with connection.asking(_PLACEMENT, f"create the trait {name}", Role.SERVICE) as call:
        return connection.ask(_PLACEMENT, "PUT", f"/traits/{quote(name, safe='')}", call).status == 201


def trait_exists(connection: Connection, name: str) -> bool:
    """Whether there is such a trait."""
    try:
        with connection.asking(_PLACEMENT, f"look up the trait {name}", Role.SERVICE) as call:
            connection.ask(_PLACEMENT, "GET", f"/traits/{quote(name, safe='')}", call)
    except NotThere:
        return False
    return True


def change_trait(
    connection: Connection,
    provider: str,
    trait: str,
    *,
    present: bool,
    attempts: int = _ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Gives the provider one trait or takes it away, and leaves all others; whether there was anything to do.

    Reads, merges, puts, and again where somebody was faster; allocations bump the generation too, so on a busy host
    that is normal. So is a 500 now and then: Placement does not repeat what its database ended as a deadlock. Raises
    the last of these where it went on like that, and `AnswerUnusable` where Placement says that it did, and has not.
    """
    failed = 0
    for attempt in range(attempts):
        if attempt:
            # Full jitter, so that writers who met once do not meet again.
            sleep(_jitter() * min(_LONGEST_PAUSE, _PAUSE * 2**attempt))
        now = get_traits(connection, provider)
        if (trait in now.traits) == present:
            return attempt > 0
        try:
            after = put_traits(connection, provider, _merged(now.traits, trait, present=present), now.generation)
        except (StaleGeneration, ServiceFailed) as error:
            failed += isinstance(error, ServiceFailed)
            if attempt == attempts - 1 or failed == _FAILURES:
                raise
            continue
        if (trait in after.traits) != present:
            with connection.asking(_PLACEMENT, f"change {trait} of provider {provider}", Role.SERVICE) as call:
                raise AnswerUnusable(call, "it took the change, and answers that nothing changed")
        return True
    raise ValueError("at least one attempt is needed")


def _merged(traits: frozenset[str], trait: str, *, present: bool) -> frozenset[str]:
    return traits | {trait} if present else traits - {trait}


def _traits_path(provider: str) -> str:
    return f"/resource_providers/{quote(provider, safe='')}/traits"


def _under(body: Any, key: str) -> object:
    return body.get(key) if isinstance(body, dict) else None


def _provider(row: Row) -> Provider:
    return Provider(
        uuid=row.text("uuid"),
        name=row.text("name"),
        generation=row.number("generation"),
        parent=row.optional("parent_provider_uuid"),
    )


def _traits(provider: str, row: Row) -> ProviderTraits:
    return ProviderTraits(provider, row.number("resource_provider_generation"), frozenset(row.texts("traits")))
