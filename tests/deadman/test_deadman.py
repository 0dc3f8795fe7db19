"""The dead-man command: while nobody vouches for the traits, no host keeps one."""

import logging
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.cloud.fake import answer, connect, login, serve
from txt_dashboard.attest.signing import PublicKeys, SigningKey
from txt_dashboard.cloud.errors import Call, Unreachable
from txt_dashboard.cloud.heartbeat import WELL_KNOWN, BadHeartbeat, Heartbeat, sign
from txt_dashboard.deadman.__main__ import main
from txt_dashboard.deadman.rounds import Rounds, Unheard, fetch, take_all
from txt_dashboard.deadman.watch import Watch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
OTHER = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
KEYS = PublicKeys({}).with_key(KEY.public)
TRAIT = "CUSTOM_TRUSTED_HOST"


@dataclass
class Scene:
    """A product, a cloud and two clocks, as a test sets them."""

    now: datetime = NOON
    ticks: float = 0.0
    beat: Heartbeat | None = field(default_factory=lambda: Heartbeat(NOON, "east"))
    key: SigningKey = KEY
    keys: PublicKeys = KEYS
    taken: int = 0
    cloud_is_there: bool = True

    def __post_init__(self) -> None:
        watch = Watch("east", timedelta(seconds=300))
        self.rounds = Rounds(
            watch, lambda: self.keys, self.listen, self.take, clock=lambda: self.now, ticks=lambda: self.ticks
        )

    def pass_by(self, seconds: float, *, wall: float | None = None) -> None:
        self.ticks += seconds
        self.now += timedelta(seconds=seconds if wall is None else wall)

    def listen(self) -> bytes:
        if self.beat is None:
            raise Unheard("nothing there")
        return sign(self.beat, self.key)

    def take(self) -> tuple[int, int]:
        if not self.cloud_is_there:
            raise Unreachable(Call("east", "Placement", "", "list"), "there is no connection")
        self.taken += 1
        return 1, 0


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_while_heartbeats_come_nothing_is_taken(scene):
    for _ in range(100):
        assert scene.rounds.run()
        scene.pass_by(15)
        scene.beat = Heartbeat(scene.now, "east")
    assert scene.taken == 0


def test_a_short_silence_is_borne_and_a_long_one_is_not(scene):
    scene.rounds.run()
    scene.beat = None
    scene.pass_by(300)
    scene.rounds.run()
    assert scene.taken == 0
    scene.pass_by(1)
    scene.rounds.run()
    assert scene.taken == 1


def test_as_long_as_nobody_vouches_traits_are_taken_again(scene):
    scene.beat = None
    for _ in range(3):
        assert scene.rounds.run()
    assert scene.taken == 3


def test_who_was_never_heard_vouches_for_nothing(scene):
    scene.beat = None
    scene.rounds.run()
    assert scene.taken == 1


def test_it_comes_back_to_life(scene):
    scene.beat = None
    scene.rounds.run()
    scene.beat = Heartbeat(scene.now, "east")
    scene.rounds.run()
    assert scene.taken == 1


def test_an_old_heartbeat_replayed_for_ever_keeps_nobody_alive(scene):
    for _ in range(40):
        scene.rounds.run()
        scene.pass_by(15)
    assert scene.taken > 0


def test_nor_does_setting_our_clock_back(scene):
    for _ in range(40):
        scene.rounds.run()
        scene.pass_by(15, wall=0)
    assert scene.taken > 0


def test_a_heartbeat_of_another_key_counts_for_nothing(scene):
    scene.key = OTHER
    scene.rounds.run()
    assert scene.taken == 1


def test_from_the_moment_that_its_key_is_void_it_counts_for_nothing(scene):
    scene.rounds.run()
    scene.keys = KEYS.with_all_void()
    scene.pass_by(301)
    scene.beat = Heartbeat(scene.now, "east")
    scene.rounds.run()
    assert scene.taken == 1


def test_one_of_another_cloud_neither(scene):
    scene.beat = Heartbeat(NOON, "west")
    scene.rounds.run()
    assert scene.taken == 1


def test_one_from_the_future_neither(scene):
    scene.beat = Heartbeat(NOON + timedelta(seconds=61), "east")
    scene.rounds.run()
    assert scene.taken == 1


def test_an_older_one_does_not_replace_a_newer():
    watch = Watch("east", timedelta(seconds=300))
    watch.hear(Heartbeat(NOON, "east"), NOON, 0)
    watch.hear(Heartbeat(NOON - timedelta(seconds=200), "east"), NOON, 100)
    assert watch.newest == Heartbeat(NOON, "east")
    assert watch.heard == 0
    with pytest.raises(BadHeartbeat, match="cloud 'west'"):
        watch.hear(Heartbeat(NOON, "west"), NOON, 0)


def test_a_cloud_that_is_away_is_tried_again(scene):
    scene.beat = None
    scene.cloud_is_there = False
    assert not scene.rounds.run()
    scene.cloud_is_there = True
    assert scene.rounds.run()
    assert scene.taken == 1


def test_the_log_says_what_changed_and_why_and_only_then(scene, caplog):
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        scene.rounds.run()
    assert [each.message for each in caplog.records] == [
        "cloud east is alive; the last heartbeat is of 2026-03-01T12:00:00+00:00"
    ]
    caplog.clear()
    scene.pass_by(301)
    scene.beat = None
    scene.rounds.run()
    assert "dead: nothing there" in caplog.text
    assert "taken from 1 providers" in caplog.text


# Against Placement's contract, and as a command.


def provide(cloud, *uuids: str) -> None:
    rows = [{"uuid": uuid, "name": uuid, "generation": 1, "parent_provider_uuid": None} for uuid in uuids]
    cloud.on(f"GET /placement/traits/{TRAIT}", answer(b"", 204))
    cloud.on("GET /placement/resource_providers", answer({"resource_providers": rows}))
    for uuid in uuids:
        route = f"/placement/resource_providers/{uuid}/traits"
        cloud.on(f"GET {route}", answer({"traits": ["CUSTOM_X", TRAIT], "resource_provider_generation": 1}))
        cloud.on(f"PUT {route}", answer({"traits": ["CUSTOM_X"], "resource_provider_generation": 2}))


def test_all_lose_the_trait_and_nothing_else(cloud, connection):
    provide(cloud, "u1", "u2")
    assert take_all(connection, TRAIT) == (2, 0)
    bodies = [each.json["traits"] for each in cloud.asked if each.method == "PUT"]
    assert bodies == [["CUSTOM_X"], ["CUSTOM_X"]]


def test_one_that_fails_or_is_gone_costs_only_itself(cloud, connection):
    provide(cloud, "u1", "u2", "u3")
    cloud.on("PUT /placement/resource_providers/u1/traits", answer({}, 500))
    cloud.on("GET /placement/resource_providers/u2/traits", answer({}, 404))
    assert take_all(connection, TRAIT) == (1, 1)


def test_where_there_is_no_such_trait_there_is_nothing_to_take(cloud, connection):
    assert take_all(connection, TRAIT) == (0, 0)


@pytest.fixture
def cloud():
    with serve() as served:
        yield served


@pytest.fixture
def connection(cloud):
    made = connect(cloud)
    yield made
    made.close()


@pytest.fixture
def command(cloud, tmp_path, monkeypatch):
    """Runs `--once` against the cloud, whose server also serves the heartbeat."""
    monkeypatch.setattr("txt_dashboard.deadman.__main__._PAUSE", 0.0)
    key = tmp_path / "signing.pub"
    key.write_text(KEYS.text())
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(yaml.safe_dump({"clouds": {"east-traits": {"auth": dict(login(cloud).auth)}}}))
    fixed = ["--once", "--public-keys", key, "--cloud", "east", "--clouds", clouds, "--entry", "east-traits"]

    def run(*more: str) -> int:
        return main([str(each) for each in [*fixed, "--heartbeat", cloud.url + WELL_KNOWN, *more]])

    return run


def test_once_while_alive(cloud, command):
    cloud.on(f"GET {WELL_KNOWN}", answer(sign(Heartbeat(datetime.now(UTC), "east"), KEY)))
    assert command() == 0
    assert cloud.logins == 0


def test_once_when_dead(cloud, command):
    provide(cloud, "u1")
    assert command() == 3
    assert len(cloud.requests(f"GET {WELL_KNOWN}")) == 3
    assert len([each for each in cloud.asked if each.method == "PUT"]) == 1


def test_once_when_the_traits_could_not_be_taken(cloud, command):
    cloud.on(f"GET /placement/traits/{TRAIT}", answer({}, 403))
    assert command() == 1


def test_once_when_it_hears_an_old_one(cloud, command):
    cloud.on(f"GET {WELL_KNOWN}", answer(sign(Heartbeat(datetime.now(UTC) - timedelta(seconds=61), "east"), KEY)))
    assert command("--max-age", "120") == 0
    assert command("--max-age", "60") == 3


@pytest.mark.parametrize("wrong", [("--trait", "HW_CPU"), ("--max-age", "0"), ("--every", "nan")])
def test_options_that_can_not_be_meant(command, wrong):
    with pytest.raises(SystemExit) as ended:
        command(*wrong)
    assert ended.value.code == 2


def test_what_is_misconfigured_is_said(command, capsys, tmp_path):
    assert command("--entry", "nobody") == 1
    assert "has no cloud nobody" in capsys.readouterr().err
    assert command("--public-keys", str(tmp_path / "none")) == 1
    assert "none" in capsys.readouterr().err


def test_a_heartbeat_is_not_fetched_without_limit(cloud):
    cloud.on("GET /big", answer(b" " * 20_000))
    with pytest.raises(Unheard, match="TooLarge"):
        fetch(f"{cloud.url}/big", None)
    with pytest.raises(Unheard, match="404"):
        fetch(f"{cloud.url}/nothing", None)
    with pytest.raises(Unheard):
        fetch("not a url", None)


def test_it_needs_neither_django_nor_novaclient():
    """As on a machine with keystoneauth1, PyYAML and cryptography alone."""
    forbidden = ("django", "novaclient", "celery", "msgspec", "structlog")
    code = (
        f"import sys\nfor name in {forbidden}: sys.modules[name] = None\n"
        "from txt_dashboard.deadman.__main__ import main\nmain(['--help'])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
