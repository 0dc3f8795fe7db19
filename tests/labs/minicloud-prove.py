#!/usr/bin/env python3
"""Show on a running minicloud what trusted scheduling needs of OpenStack.

    minicloud.sh run python minicloud-prove.py path/to/minicloud.sh [a b c ...]

Each part (a to f, all by default) prints what it saw and checks it; the exit
status is 1 if any check failed. Everything made here is named "prove-..." and
removed again, before and after.
"""

import concurrent.futures
import hashlib
import os
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import openstack
from novaclient import client as novaclient

MINICLOUD = Path(sys.argv[1]).resolve()
DIRECTORY = Path(os.environ.get("MINICLOUD_DIR", ".minicloud")).resolve()
PARTS = sys.argv[2:] or list("abcdef")

TRAIT = "CUSTOM_TRUSTED_HOST"
COMPUTE = "2.104"  # microversions asked for: the newest of this release
PLACEMENT = "1.39"

failures = []


def check(what, true):
    print(f"  [{'ok' if true else 'FAILED'}] {what}")
    if not true:
        failures.append(what)


def title(text):
    print(f"\n=== {text}", flush=True)


def connect(user="admin", project=None, **more):
    """Log in as one of minicloud's users."""
    return openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_url=os.environ["OS_AUTH_URL"],
        region_name=os.environ["OS_REGION_NAME"],
        username=user,
        password=os.environ["OS_PASSWORD"],
        user_domain_id="default",
        **(more or {"project_name": project or user, "project_domain_id": "default"}),
        compute_default_microversion=COMPUTE,
        placement_default_microversion=PLACEMENT,
    )


cloud = connect()


def minicloud(*command):
    subprocess.run([MINICLOUD, *command], check=True)


# --- Small tools --------------------------------------------------------------


def flavor(name, **extra_specs):
    # With a disk: only an administrator may boot a flavor without.
    f = cloud.compute.create_flavor(name=f"prove-{name}", vcpus=1, ram=64, disk=1)
    if extra_specs:
        cloud.compute.create_flavor_extra_specs(f, extra_specs)
    return f


def boot(flavor, count=1, who=None, at_once=True):
    """Boot servers; return them when each is ACTIVE or ERROR.

    The scheduler spreads servers booted one after the other. Of those booted at
    once, all may go to one host, as each sees the hosts before the others.
    """
    who = who or cloud
    image = who.image.find_image("tiny")

    def one(n):
        server = who.compute.create_server(name=f"prove-{n}", image_id=image.id, flavor_id=flavor.id, networks="none")
        deadline = time.time() + 120
        while server.status not in ("ACTIVE", "ERROR") and time.time() < deadline:
            time.sleep(0.5)
            server = who.compute.get_server(server)
        return server

    with concurrent.futures.ThreadPoolExecutor(count if at_once else 1) as pool:
        return list(pool.map(one, range(count)))


def delete(servers):
    for server in servers:
        cloud.compute.delete_server(server)
    for server in servers:
        cloud.compute.wait_for_delete(server, wait=120)


def hosts(servers):
    """The hosts of servers, as the administrator sees them."""
    return Counter(cloud.compute.get_server(s).compute_host for s in servers)


def fault(server):
    return (cloud.compute.get_server(server).fault or {}).get("message", "")


def providers():
    return {p.name: p for p in cloud.placement.resource_providers()}


def traits(host):
    return cloud.placement.get(f"/resource_providers/{providers()[host].id}/traits").json()


def set_trait(host, present):
    """Add or remove TRAIT, leaving a host's other traits as they are."""
    now = traits(host)
    names = set(now["traits"]) - {TRAIT} | ({TRAIT} if present else set())
    answer = cloud.placement.put(
        f"/resource_providers/{providers()[host].id}/traits",
        json={"resource_provider_generation": now["resource_provider_generation"], "traits": sorted(names)},
    )
    assert answer.status_code == 200, answer.text


def trusted():
    """The hosts that have TRAIT, asked of placement."""
    return sorted(
        p["name"] for p in cloud.placement.get(f"/resource_providers?required={TRAIT}").json()["resource_providers"]
    )


def clean():
    delete([s for s in cloud.compute.servers(all_projects=True) if s.name.startswith("prove-")])
    for f in cloud.compute.flavors(is_public=None):
        if f.name.startswith("prove-"):
            cloud.compute.delete_flavor(f)
    for a in cloud.compute.aggregates():
        if a.name.startswith("prove-"):
            for host in a.hosts or ():
                cloud.compute.remove_host_from_aggregate(a, host)
            cloud.compute.delete_aggregate(a)
    for host in providers():
        set_trait(host, False) if TRAIT in traits(host)["traits"] else None
    cloud.placement.delete(f"/traits/{TRAIT}")
    for u in cloud.identity.users():
        if u.name.startswith("prove-"):
            cloud.identity.delete_user(u)


# --- The parts ----------------------------------------------------------------


def a():
    title("a. hypervisors, services, aggregates, flavors")
    hypervisors = list(cloud.compute.hypervisors(details=True))
    for h in hypervisors:
        print(
            f"  hypervisor {h.name}: {h.hypervisor_type}, {h.state}, {h.status}, "
            f"service host {h.service_details['host']}"
        )
    for s in cloud.compute.services():
        print(f"  service {s.binary} on {s.host}: {s.state}, {s.status}")
    check("at least four hypervisors, all up", len(hypervisors) >= 4 and {h.state for h in hypervisors} == {"up"})

    aggregate = cloud.compute.create_aggregate(name="prove-aggregate")
    cloud.compute.set_aggregate_metadata(aggregate, {"trusted": "true"})
    cloud.compute.add_host_to_aggregate(aggregate, "compute1")
    aggregate = cloud.compute.find_aggregate("prove-aggregate")
    print(f"  aggregate {aggregate.name}: {aggregate.hosts} {aggregate.metadata}")
    check(
        "aggregate has its host and metadata",
        aggregate.hosts == ["compute1"] and aggregate.metadata["trusted"] == "true",
    )

    f = flavor("flavor", **{"trust:trusted_host": "trusted", f"trait:{TRAIT}": "required"})
    print(f"  flavor {f.name}: {cloud.compute.fetch_flavor_extra_specs(f).extra_specs}")
    # novaclient 18.13 knows no newer microversion.
    nova = novaclient.Client("2.96", session=cloud.session, region_name=cloud.config.region_name)
    check(
        "novaclient sees the same hypervisors",
        {h.hypervisor_hostname for h in nova.hypervisors.list()} == {h.name for h in hypervisors},
    )
    check("novaclient sees the extra specs", len(nova.flavors.get(f.id).get_keys()) == 2)
    answer = cloud.compute.post(
        f"/flavors/{f.id}/os-extra_specs", microversion=COMPUTE, json={"extra_specs": {f"trait:{TRAIT}": "wanted"}}
    )
    print(f"  trait:{TRAIT}=wanted: {answer.status_code}")
    check("a wrong value in a namespace nova knows is refused", answer.status_code == 400)


def b():
    title("b. a server, networks=none")
    began = time.time()
    (server,) = boot(flavor("flavor"))
    print(f"  {server.status} after {time.time() - began:.1f} s on {hosts([server])}")
    check("ACTIVE", server.status == "ACTIVE")


def c():
    title(f"c. placement trait {TRAIT} decides the host")
    f = flavor("trusted", **{f"trait:{TRAIT}": "required"})
    plain = flavor("plain")

    def ten(expected, what, at_once):
        servers = boot(f, 10, at_once=at_once)
        print(
            f"  10 servers{' at once' * at_once}: {dict(hosts(servers))} {dict(Counter(s.status for s in servers))}"
        )
        used = set(hosts(servers))
        check(what, (used <= expected if at_once else used == expected) and {s.status for s in servers} == {"ACTIVE"})
        delete(servers)

    cloud.placement.put(f"/traits/{TRAIT}")
    set_trait("compute1", True)
    set_trait("compute2", True)
    ten({"compute1", "compute2"}, "all on the two hosts with the trait", at_once=False)
    ten({"compute1", "compute2"}, "at once, too", at_once=True)

    servers = boot(plain, 4, at_once=False)
    print(f"  4 servers of a plain flavor: {dict(hosts(servers))}")
    check("a plain flavor also goes elsewhere", set(hosts(servers)) - {"compute1", "compute2"})
    delete(servers)

    print("  25 s: at least two updates by each nova-compute")
    time.sleep(25)
    check("the trait survives the periodic update", trusted() == ["compute1", "compute2"])
    minicloud("restart", "compute1")
    settle("compute1")
    check("the trait survives a restart of nova-compute", trusted() == ["compute1", "compute2"])
    for enable in (False, True):
        service = next(cloud.compute.services(binary="nova-compute", host="compute2"))
        (cloud.compute.enable_service if enable else cloud.compute.disable_service)(service)
        check(
            f"the trait survives {'enabling' if enable else 'disabling'} the service",
            trusted() == ["compute1", "compute2"],
        )

    set_trait("compute1", False)
    ten({"compute2"}, "after removal from compute1: all on compute2", at_once=True)
    time.sleep(15)
    check("the removed trait stays removed", trusted() == ["compute2"])

    set_trait("compute2", False)
    (server,) = boot(f)
    print(f"  no host with the trait: {server.status}: {fault(server)}")
    check("NoValidHost", server.status == "ERROR" and "No valid host" in fault(server))
    delete([server])


def settle(host):
    """Wait until a restarted nova-compute has reported itself."""
    since = time.time()
    time.sleep(1)
    while True:
        service = next(cloud.compute.services(binary="nova-compute", host=host))
        updated = (
            service.updated_at
            and time.mktime(time.strptime(service.updated_at.split(".")[0], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        )
        if service.state == "up" and updated and updated > since + 5:
            return
        time.sleep(1)


FILTER = '''\
from oslo_log import log

from nova.scheduler import filters

LOG = log.getLogger(__name__)


class TrustFilter(filters.BaseHostFilter):
    """Only compute3 is trusted."""

    RUN_ON_REBUILD = False

    def host_passes(self, host_state, spec_obj):
        wanted = spec_obj.flavor.extra_specs.get("trust:trusted_host")
        passes = wanted != "trusted" or host_state.host == "compute3"
        LOG.info("trust:trusted_host=%s host=%s project=%s passes=%s",
                 wanted, host_state.host, spec_obj.project_id, passes)
        return passes
'''

LOCAL_CONF = """\
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = prove_filter.TrustFilter
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,TrustFilter
"""


def d():
    title("d. a scheduler filter of our own")
    module = DIRECTORY / "plugins" / "prove_filter.py"
    conf = DIRECTORY / "etc" / "nova" / "local.conf"
    before = conf.read_text()
    try:
        module.write_text(FILTER)
        conf.write_text(LOCAL_CONF)
        minicloud("restart", "nova-scheduler")
        time.sleep(12)
        f = flavor("trust", **{"trust:trusted_host": "trusted"})
        servers = boot(f, 5)
        print(f"  5 servers: {dict(hosts(servers))}")
        check("all on compute3", set(hosts(servers)) == {"compute3"})
        others = boot(flavor("any"), 4, at_once=False)
        print(f"  4 servers of a flavor without: {dict(hosts(others))}")
        check("the others also elsewhere", len(hosts(others)) > 1)
        log = (DIRECTORY / "log" / "nova-scheduler.log").read_text()
        lines = [line[line.index("trust:") :] for line in log.splitlines() if "trust:trusted" in line]
        print(*(f"  scheduler: {line}" for line in sorted(set(lines))), sep="\n")
        check("host_passes was given the extra spec", any("=trusted " in line for line in lines))
        delete(servers + others)
    finally:
        conf.write_text(before)
        module.unlink(missing_ok=True)
        minicloud("restart", "nova-scheduler")
        time.sleep(12)


def e():
    title("e. what a tenant sees")
    demo = connect("demo")
    f = flavor("seen", **{"trust:trusted_host": "trusted"})
    servers = boot(f, 4, demo, at_once=False)
    as_admin = {
        s["id"]: s for s in cloud.compute.get("/servers/detail?all_tenants=1", microversion=COMPUTE).json()["servers"]
    }
    as_demo = {s["id"]: s for s in demo.compute.get("/servers/detail", microversion=COMPUTE).json()["servers"]}
    check("the tenant sees its servers", {s.id for s in servers} == set(as_demo))

    project = demo.current_project_id
    right = all(
        hashlib.sha224((project + as_admin[i]["OS-EXT-SRV-ATTR:host"]).encode()).hexdigest()
        == s["hostId"]
        == as_admin[i]["hostId"]
        for i, s in as_demo.items()
    )
    check("hostId == sha224(project_id + host).hexdigest(), for tenant and administrator", right)
    sample = next(iter(as_demo.values()))
    print(
        f"  hostId {sample['hostId']}\n"
        f"  of host {as_admin[sample['id']]['OS-EXT-SRV-ATTR:host']} in project {project}"
    )
    print(f"  flavor in the tenant's answer: {sample['flavor']}")
    print(f"  keys the tenant sees: {sorted(sample)}")
    print(f"  only the administrator: {sorted(set(as_admin[sample['id']]) - set(sample))}")
    check("no host name for the tenant", not {"OS-EXT-SRV-ATTR:host", "host_status"} & set(sample))
    check("no host name in the tenant's answer at all", not any(host in str(as_demo) for host in providers()))
    delete(servers)


def f():
    title("f. who may do what (HTTP status)")
    roles = {r.name: r for r in cloud.identity.roles()}
    projects = {name: cloud.identity.find_project(name) for name in ("demo", "service")}
    people = {"admin": connect()}
    for label, project, *names in (
        ("demo admin", "demo", "admin"),
        ("demo manager", "demo", "manager"),
        ("demo member", "demo", "member"),
        ("demo reader", "demo", "reader"),
        ("service", "service", "service"),
        ("service reader", "service", "service", "reader"),
    ):
        name = "prove-" + label.replace(" ", "-")
        user = cloud.identity.create_user(name=name, password=os.environ["OS_PASSWORD"], domain_id="default")
        for role in names:
            cloud.identity.assign_project_role_to_user(projects[project], user, roles[role])
        people[label] = connect(name, project)
    people["system admin"] = connect(system_scope="all")

    x = flavor("rbac", **{"trust:trusted_host": "trusted"})
    aggregate = cloud.compute.create_aggregate(name="prove-aggregate")
    cloud.placement.put(f"/traits/{TRAIT}")
    provider = providers()["compute1"].id

    def put_traits(who):
        now = cloud.placement.get(f"/resource_providers/{provider}/traits").json()
        return who("placement").put(f"/resource_providers/{provider}/traits", json=now)

    # As the first server would be created by a plain request on a host.
    on_host = {
        "server": {
            "name": "prove-host",
            "networks": "none",
            "flavorRef": x.id,
            "imageRef": cloud.image.find_image("tiny").id,
            "host": "compute1",
        }
    }
    operations = {
        "GET  /flavors/detail": lambda w: w("compute").get("/flavors/detail"),
        "POST /flavors": lambda w: w("compute").post(
            "/flavors", json={"flavor": {"name": f"prove-{time.time()}", "vcpus": 1, "ram": 64, "disk": 1}}
        ),
        "GET  /flavors/X/os-extra_specs": lambda w: w("compute").get(f"/flavors/{x.id}/os-extra_specs"),
        "POST /flavors/X/os-extra_specs": lambda w: w("compute").post(
            f"/flavors/{x.id}/os-extra_specs", json={"extra_specs": {"trust:x": "y"}}
        ),
        "GET  /os-hypervisors/detail": lambda w: w("compute").get("/os-hypervisors/detail"),
        "GET  /os-services": lambda w: w("compute").get("/os-services"),
        "GET  /os-aggregates": lambda w: w("compute").get("/os-aggregates"),
        "POST /os-aggregates/X/action": lambda w: w("compute").post(
            f"/os-aggregates/{aggregate.id}/action", json={"set_metadata": {"metadata": {"a": "b"}}}
        ),
        "GET  /os-availability-zone": lambda w: w("compute").get("/os-availability-zone"),
        "GET  /servers/detail": lambda w: w("compute").get("/servers/detail"),
        "GET  /servers/detail?all_tenants": lambda w: w("compute").get("/servers/detail?all_tenants=1"),
        "POST /servers on a given host": lambda w: w("compute").post("/servers", json=on_host),
        "GET  placement /traits": lambda w: w("placement").get("/traits"),
        "PUT  placement /traits/X": lambda w: w("placement").put(f"/traits/{TRAIT}"),
        "GET  placement /resource_providers": lambda w: w("placement").get("/resource_providers"),
        "GET  placement /../traits": lambda w: w("placement").get(f"/resource_providers/{provider}/traits"),
        "PUT  placement /../traits": put_traits,
        "GET  placement /../allocations": lambda w: w("placement").get(f"/resource_providers/{provider}/allocations"),
        "GET  placement /allocation_candidates": lambda w: w("placement").get(
            "/allocation_candidates?resources=VCPU:1"
        ),
        "GET  keystone /users": lambda w: w("identity").get("/users"),
        "GET  keystone /projects": lambda w: w("identity").get("/projects"),
    }

    def service(person):
        versions = {"compute": COMPUTE, "placement": PLACEMENT}

        class Service:
            def __init__(self, kind):
                # By the administrator's catalog: a system-scoped token has none for nova.
                self.proxy, self.kind = getattr(people[person], kind), kind

            def __getattr__(self, method):
                def call(path, **more):
                    return getattr(self.proxy, method)(
                        path, microversion=versions.get(self.kind), raise_exc=False, **more
                    )

                return call

        return Service

    seen = {}
    print("  " + " " * 40 + "".join(f"{p.replace(' ', '-'):>15}" for p in people))
    for label, operation in operations.items():
        row = []
        for person in people:
            try:
                row.append(str(operation(service(person)).status_code))
            except Exception as error:
                row.append(type(error).__name__[:14])
            seen[person, label] = row[-1]
        print(f"  {label:40}" + "".join(f"{status:>15}" for status in row))
    check(
        "extra specs are written by admin only",
        [p for p in people if seen[p, "POST /flavors/X/os-extra_specs"] == "200"] == ["admin", "demo admin"],
    )
    check("a member may read the extra specs", seen["demo member", "GET  /flavors/X/os-extra_specs"] == "200")
    print("  traits written by:", [p for p in people if seen[p, "PUT  placement /../traits"] == "200"])
    print("  hypervisors read by:", [p for p in people if seen[p, "GET  /os-hypervisors/detail"] == "200"])


def main():
    print(
        f"nova microversion {COMPUTE}, placement {PLACEMENT}; "
        f"nova offers {cloud.compute.get_endpoint_data().max_microversion}"
    )
    for name in ("admin", "demo"):  # ten servers is the default
        cloud.compute.update_quota_set(cloud.identity.find_project(name), instances=-1, cores=-1)
    clean()
    for part in PARTS:
        try:
            globals()[part]()
        except Exception:
            traceback.print_exc(file=sys.stdout)
            check(f"part {part} came to its end", False)
        finally:
            clean()
    print(f"\n{len(failures)} checks failed" if failures else "\nall checks passed")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
