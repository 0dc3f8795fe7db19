"""Golden values written to OpenAttestation and read back, over HTTP against the simulated one of both generations."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.simulator.conftest import World, world
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import Conflict, Connection, NotTaken, Refused, ServerUnreachable
from txt_dashboard.servers.mle import InUse, Mle, MleKind, MleRef, Registration, mle_for
from txt_dashboard.servers.oat_whitelist import OatWhitelist
from txt_dashboard.simulator.fleet import DL360, Boot, shared_values
from txt_dashboard.simulator.story import NEXT_KERNEL

DIALECTS = ("1.6", "2.x")
CANARY, OTHER = "az2-001", "az2-002"
VALUE = bytes(range(20))
CONNECTION = Connection("oat", "https://oat-1:8443", ())


class Told:
    """A whitelist and the simulated server behind it, with all that it was asked."""

    def __init__(self, served: World, whitelist: OatWhitelist) -> None:
        self.world = served
        self.whitelist = whitelist
        self.asked: list[str] = []
        self.stop_before = ""
        self.lose: set[str] = set()
        answer = served.server.dialect.answer

        def listen(request):
            said = f"{request.method} {request.path.rsplit('/', 1)[1]}"
            if said == self.stop_before:
                raise ConnectionResetError  # as if one of both had died
            self.asked.append(said)
            answered = answer(request)
            if said in self.lose:
                self.lose.remove(said)
                raise ConnectionResetError  # done, but nobody is told
            return answered

        served.server.dialect.answer = listen

    def changes(self) -> list[str]:
        return [each for each in self.asked if not each.startswith("GET")]

    def level(self, host: str) -> str:
        return self.world.client.poll([host])[0]["trust_lvl"]


@pytest.fixture
def whitelist_of(connect) -> Callable[[str, str], OatWhitelist]:
    """Speaks a dialect to whoever listens there."""
    return lambda url, dialect: OatWhitelist(CONNECTION, dialect=dialect, client=connect(url))


@pytest.fixture(params=DIALECTS)
def told(request, connect) -> Told:
    with world(api=request.param, at=1000) as served:
        client = connect(served.server.url)
        yield Told(
            served, OatWhitelist(Connection("oat", served.server.url, ()), dialect=request.param, client=client)
        )


@pytest.fixture
def old(connect) -> Told:
    with world(api="1.6", at=1000) as served:
        client = connect(served.server.url)
        yield Told(served, OatWhitelist(Connection("oat", served.server.url, ()), dialect="1.6", client=client))


def next_kernel(told: Told, identity: str = "baseline:0123456789abcdef") -> Mle:
    """What publishes the values of the canary's new kernel."""
    like = told.whitelist.registration(CANARY).vmm
    values = shared_values(DL360, Boot(kernel=NEXT_KERNEL), 1)
    shown = {index: values[index] for index in (4, 17, 18, 19)}
    takes = told.whitelist.registers(MleKind.VMM)
    return mle_for(identity, "VMM 6.1.0-39 (DL360)", Bank.SHA1, shown, like, takes)


def test_a_host_becomes_trusted_once_it_is_registered_with_the_values_that_it_shows(told):
    assert told.level(CANARY) == "untrusted"
    mle = next_kernel(told)
    told.whitelist.add_mle(mle)
    assert told.level(CANARY) == "untrusted"
    told.whitelist.register(replace(told.whitelist.registration(CANARY), vmm=mle.ref))
    assert told.level(CANARY) == "trusted"
    assert told.level(OTHER) == "untrusted"


def test_each_generation_is_registered_anew_in_its_own_way(told):
    mle = next_kernel(told)
    told.whitelist.add_mle(mle)
    wanted = replace(told.whitelist.registration(CANARY), vmm=mle.ref)
    told.asked.clear()
    told.whitelist.register(wanted)
    anew = {"1.6": ["DELETE hosts", "POST hosts"], "2.x": ["PUT hosts"]}
    assert told.changes() == anew[told.world.server.dialect.name]


def test_a_host_keeps_all_else_that_is_known_of_it(told):
    before = told.whitelist.registration(CANARY)
    assert (before.address, before.port, before.description) == ("10.20.0.181", 9999, "simulated HPE DL360")
    mle = next_kernel(told)
    told.whitelist.add_mle(mle)
    told.whitelist.register(replace(before, vmm=mle.ref))
    assert told.whitelist.registration(CANARY) == replace(before, vmm=mle.ref)


def test_what_is_there_already_is_not_told_again(told):
    mle = next_kernel(told)
    told.whitelist.add_mle(mle)
    wanted = replace(told.whitelist.registration(CANARY), vmm=mle.ref)
    told.whitelist.register(wanted)
    told.asked.clear()
    told.whitelist.add_mle(mle)
    told.whitelist.register(wanted)
    assert told.changes() == []


def test_another_mle_of_that_name_is_a_conflict_and_stays_as_it_is(told):
    mle = next_kernel(told)
    told.whitelist.add_mle(mle)
    told.asked.clear()
    with pytest.raises(Conflict, match="with other values"):
        told.whitelist.add_mle(replace(mle, values=mle.values | {18: VALUE}))
    assert told.changes() == []
    assert told.whitelist.manifest(mle.ref) == mle.values


def test_1_x_tells_mles_apart_by_name_and_version_alone_and_the_conflict_says_so(old):
    mle = next_kernel(old)
    old.whitelist.add_mle(mle)
    same_name = replace(mle.ref, os_version="13")
    with pytest.raises(Conflict, match="another MLE that is called"):
        old.whitelist.add_mle(replace(mle, ref=same_name))


def test_manufacturer_and_operating_system_are_made_where_they_are_missing(told):
    refs = (
        MleRef(MleKind.BIOS, "BIOS", "1", oem="New Maker"),
        MleRef(MleKind.VMM, "VMM", "1", os_name="New OS", os_version="1"),
    )
    for ref, index in zip(refs, (0, 17), strict=True):
        told.whitelist.add_mle(Mle(ref, {index: VALUE}))
        assert told.whitelist.manifest(ref) == {index: VALUE}
    assert set(refs) <= set(told.whitelist.mles())
    assert told.changes() == ["POST oem", "POST mles", "POST os", "POST mles"]


def test_an_mle_that_is_not_there_has_no_values(told):
    assert told.whitelist.manifest(MleRef(MleKind.BIOS, "none", "1", oem="none")) is None


def test_a_host_that_is_not_registered_is_registered(told):
    assert told.whitelist.registration("edge-004") is None
    like = told.whitelist.registration("edge-001")
    told.whitelist.register(replace(like, host="edge-004", address="10.20.9.9"))
    assert told.level("edge-004") == "trusted"
    told.whitelist.unregister("edge-004")
    told.whitelist.unregister("edge-004")
    assert told.level("edge-004") == "unknown"


def test_hosts_are_found_by_their_whole_name_whatever_its_case(told):
    assert told.whitelist.registration("az2-00") is None
    assert told.whitelist.registration("AZ2-001").host == "az2-001"
    assert told.whitelist.registration("(az2.*") is None
    assert len(told.whitelist.registrations()) == 417


def test_a_crash_between_taking_a_host_out_and_putting_it_in_again_is_made_good_by_the_same_call(old):
    mle = next_kernel(old)
    old.whitelist.add_mle(mle)
    wanted = replace(old.whitelist.registration(CANARY), vmm=mle.ref)
    old.stop_before = "POST hosts"
    with pytest.raises(ServerUnreachable):
        old.whitelist.register(wanted)
    assert old.whitelist.registration(CANARY) is None
    assert old.level(CANARY) == "unknown"

    old.stop_before = ""
    old.whitelist.register(wanted)
    assert old.whitelist.registration(CANARY) == wanted
    assert old.level(CANARY) == "trusted"


def test_answers_that_get_lost_change_nothing(told):
    told.lose = {"POST mles", "POST hosts", "PUT hosts", "DELETE hosts"}
    mle = next_kernel(told)
    told.whitelist.add_mle(mle)
    told.whitelist.register(replace(told.whitelist.registration(CANARY), vmm=mle.ref))
    assert told.level(CANARY) == "trusted"
    assert len(told.whitelist.registrations()) == 417


def test_a_host_is_not_taken_out_for_mles_that_are_not_there(old):
    before = old.whitelist.registration(CANARY)
    missing = replace(before, vmm=replace(before.vmm, version="none"))
    with pytest.raises(NotTaken, match="has no MLE VMM"):
        old.whitelist.register(missing)
    assert old.changes() == []


def test_a_host_whose_new_registration_is_refused_gets_its_old_one_back(old):
    mle = next_kernel(old)
    old.whitelist.add_mle(mle)
    before = old.whitelist.registration(CANARY)
    answer, refusals = old.world.server.dialect.answer, ["once"]

    def refuse(request):
        if request.method == "POST" and request.path.endswith("/hosts") and refusals:
            refusals.pop()
            request = replace(request, body=b'{"HostName": ""}')
        return answer(request)

    old.world.server.dialect.answer = refuse
    with pytest.raises(Refused, match="too long or for a character"):
        old.whitelist.register(replace(before, vmm=mle.ref))
    assert old.whitelist.registration(CANARY) == before


def test_2_x_says_that_it_could_not_reach_the_host(connect):
    with world(api="2.x", at=1000) as served:
        whitelist = OatWhitelist(
            Connection("oat", "http://oat", ()), dialect="2.x", client=connect(served.server.url)
        )
        silent = whitelist.registration("edge-017")
        with pytest.raises(Refused, match="can't reach the host's agent") as refused:
            whitelist.register(replace(silent, description="changed"))
        assert refused.value.fault == 1011


@pytest.mark.parametrize(
    ("dialect", "changed", "why"),
    [
        ("1.6", {"description": "rack: 3"}, "holds :, which this server refuses"),
        ("1.6", {"description": 101 * "x"}, "longer than the 100 characters"),
        ("1.6", {"host": 51 * "h"}, "longer than the 50 characters"),
        ("2.x", {"host": 41 * "h"}, "longer than the 40 characters"),
        ("2.x", {"description": "ünïcode"}, "does not keep as they are"),
        ("1.6", {"host": ""}, "no host can have this name"),
        ("1.6", {"port": None}, "needs the address and the port"),
        ("1.6", {"port": 70000}, "needs the address and the port"),
        ("1.6", {"address": ""}, "needs the address and the port"),
        ("1.6", {"vmm": None}, "needs a BIOS and a VMM whitelist"),
        ("1.6", {"vmm": MleRef(MleKind.BIOS, "b", "1", oem="o")}, "of the wrong kind"),
        ("1.6", {"bios": MleRef(MleKind.BIOS, "b", "1")}, "whom it belongs to"),
        ("1.6", {"bios": MleRef(MleKind.BIOS, "b+c", "1", oem="o")}, "holds \\+, which this server refuses"),
    ],
)
def test_what_a_server_would_refuse_is_refused_before_it_is_asked(server, whitelist_of, dialect, changed, why):
    bios = MleRef(MleKind.BIOS, "b", "1", oem="o")
    vmm = MleRef(MleKind.VMM, "v", "1", os_name="os", os_version="1")
    registration = replace(Registration("hv1", "10.0.0.1", 9999, bios, vmm), **changed)
    with pytest.raises(NotTaken, match=why):
        whitelist_of(server.url, dialect).register(registration)
    assert server.asked == []


@pytest.mark.parametrize(
    ("dialect", "values", "why"),
    [
        ("2.x", {17: VALUE, 4: VALUE}, "takes no register 4 in a VMM whitelist"),
        ("1.6", {}, "would match every host"),
        ("1.6", {24: VALUE}, "takes no register 24"),
    ],
)
def test_an_mle_that_would_say_something_else_there_is_refused(server, whitelist_of, dialect, values, why):
    with pytest.raises(NotTaken, match=why):
        whitelist_of(server.url, dialect).add_mle(
            Mle(MleRef(MleKind.VMM, "v", "1", os_name="os", os_version="1"), values)
        )
    assert server.asked == []


def test_the_whitelist_is_read_back_with_the_hosts_that_are_judged_by_it(told):
    mle = next_kernel(told)
    told.whitelist.add_mle(mle)
    told.whitelist.register(replace(told.whitelist.registration(CANARY), vmm=mle.ref))
    told.asked.clear()
    found = {each.ref: each for each in told.whitelist.in_use()}

    assert len(found) == 7
    assert found[mle.ref] == InUse(mle.ref, (CANARY,), mle.values)
    assert sum(len(each.hosts) for each in found.values()) == 2 * 417
    assert told.asked == ["GET hosts", *(7 * ["GET manifest"])]


def test_a_value_that_somebody_changed_at_the_server_is_seen(told):
    ref = told.whitelist.registration(CANARY).vmm
    registry = told.world.server.dialect.simulation.registry
    registry.set_values((ref.name, ref.version, "", ref.os_name, ref.os_version), {17: VALUE})
    (found,) = [each for each in told.whitelist.in_use() if each.ref == ref]
    assert found.values == {17: VALUE}


def test_the_path_of_the_url_is_kept(server, connect):
    for path in ("/p", "/p/AttestationService/resources"):
        server.asked.clear()
        whitelist = OatWhitelist(
            Connection("oat", "http://oat", ()), dialect="1.6", client=connect(server.url + path)
        )
        with pytest.raises(Exception, match="no JSON"):
            whitelist.mles()
        assert urlsplit(server.asked[0].path).path == "/p/WLMService/resources/mles"


def test_each_kind_that_takes_golden_values_says_so():
    taking = [factory.whitelist for factory in KINDS.values() if factory.whitelist is not None]
    assert len(taking) == 2
    for build in taking:
        whitelist = build(CONNECTION)
        assert isinstance(whitelist, OatWhitelist)
        whitelist.close()


def test_another_dialect_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="dialect"):
        OatWhitelist(CONNECTION, dialect="3.0")
