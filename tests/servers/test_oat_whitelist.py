"""Golden values written to OpenAttestation and read back, over HTTP against the simulated one of both generations."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.servers.whitelists import CANARY, CONNECTION, OTHER, VALUE, next_kernel
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import Connection
from txt_dashboard.servers.mle import InUse, Mle, MleKind, MleRef
from txt_dashboard.servers.oat_whitelist import OatWhitelist


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
