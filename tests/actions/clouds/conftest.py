"""A cloud with three hypervisors, their attested hosts, and a worker's keeper."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.cloud.fake import connect, serve
from tests.cloud.living import Flavor, LivingCloud
from tests.people import person
from tests.rows import make_host, make_server
from txt_dashboard.actions.clouds.connect import Accounts
from txt_dashboard.actions.clouds.flavors import Wish, set_flavor_trust
from txt_dashboard.actions.clouds.keeper import Keeper
from txt_dashboard.actions.governance import keys
from txt_dashboard.actions.permissions import Role
from txt_dashboard.cloud.enforcement import Enforcement, digest
from txt_dashboard.models import Activity, Attestation, Cloud, CloudFlavor, Host

TRAIT = "CUSTOM_TRUSTED_HOST"


@pytest.fixture
def living(settings) -> Iterator[LivingCloud]:
    settings.TXT_CLOUDS = ["east"]
    made = LivingCloud()
    for number in (1, 2, 3):
        made.add(f"u{number}", f"hv{number}.example.org")
    with serve(made):
        yield made


@pytest.fixture
def server(db):
    keys.create()
    return make_server()


@pytest.fixture
def judge(server, clock) -> Callable[..., Host]:
    """Puts a host into a state, with evidence that counts from now for an hour."""

    def put(name: str, state: str = "trusted") -> Host:
        made = Host.objects.filter(name=name).first() or make_host(name, server)
        Host.objects.filter(pk=made.pk).update(state=state)
        ends = clock() + timedelta(hours=1)
        Attestation.objects.filter(host=made).update(attested_at=clock(), counts_from=clock(), valid_until=ends)
        return made

    return put


@pytest.fixture
def keeper(living, clock, db) -> Iterator[Keeper]:
    opened = []

    def accounts(_name: str) -> Accounts:
        opened.append(connect(living))
        return Accounts(opened[-1], opened[-1])

    yield Keeper(accounts, clock)
    for each in opened:
        each.close()


@pytest.fixture
def turn(keeper, clock) -> Callable[..., Cloud]:
    """One tick of a worker, `after` seconds; the cloud's row afterwards."""

    def do(*, after: float = 16) -> Cloud:
        clock.advance(seconds=after)
        keeper.match()
        keeper.keep_traits()
        return Cloud.objects.get()

    return do


@pytest.fixture
def told(db) -> Callable[[], list[tuple[str, str, int | None]]]:
    """What the activity log has of traits: verb, host, and of which entry it is the outcome."""

    def read() -> list[tuple[str, str, int | None]]:
        return list(Activity.objects.filter(verb__contains="trait").order_by("id").values_list("verb", "host", "of"))

    return read


@pytest.fixture
def ada(db):
    return person("ada", Role.ADMINISTRATOR)


@pytest.fixture
def accounts(living):
    opened = connect(living, deadline=0.5)
    yield Accounts(opened, opened)
    opened.close()


@pytest.fixture
def look(turn, keeper):
    """A worker's look at the flavors, and what it keeps of the one."""

    def do() -> CloudFlavor:
        turn(after=61)
        keeper.look_at_flavors()
        return CloudFlavor.objects.get()

    return do


@pytest.fixture
def flavor(living, judge, look):
    """One ordinary flavor with an extra spec of somebody else's, and a trusted host."""
    judge("hv1")
    living.flavors["1"] = Flavor("m1", {"hw:cpu_policy": "shared"})
    look()
    return living.flavors["1"]


@pytest.fixture
def toggle(living, accounts, ada, clock):
    """Asks for it as the page does: with the hash of what is shown, unless told otherwise."""

    def do(*, trusted: bool = True, actor=ada, by: Enforcement | None = None, **more) -> CloudFlavor:
        shown = digest(CloudFlavor.objects.get().specs)
        wish = Wish(trusted, by, more.get("reason", "For tenants with secrets."), more.get("specs_hash", shown))
        connecting = more.get("connect", lambda _name: accounts)
        return set_flavor_trust(actor, "east", more.get("flavor_id", "1"), wish, connect=connecting, clock=clock)

    return do
