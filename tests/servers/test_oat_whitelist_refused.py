"""What a server refuses, or would refuse: said before it is asked, and no host is lost by it."""

from dataclasses import replace

import pytest

from tests.servers.whitelists import CANARY, VALUE, next_kernel
from tests.simulator.conftest import world
from txt_dashboard.servers.base import Conflict, Connection, NotTaken, Refused, ServerUnreachable
from txt_dashboard.servers.mle import Mle, MleKind, MleRef, Registration
from txt_dashboard.servers.oat_whitelist import OatWhitelist


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
