"""What `manage.py run` needs before Django's settings are read: its files, its processes, its lock.

The demonstration runs on embedded defaults only, in one data directory, on loopback only. It knows no
Django, so that settings see the environment that is made here.
"""

import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from txt_dashboard.demo_options import DemoError, Options
from txt_dashboard.simulator.fleet import DEFAULT_HOSTS
from txt_dashboard.simulator.openstack.people import DOMAIN, project_named

LOOPBACK_NETWORKS = "127.0.0.0/8,::1/128"
LEAST_FREE_BYTES = 100 * 1024 * 1024
DEFAULT_SEED = 1
CLOUD = "simulated"  # its name in the settings, and so on every page
CLOUD_ACCOUNTS = ("admin", "member")  # for people; of the same names and password at the simulated Keystone
_OUR_ACCOUNTS = {"": ("trust-admin", "admin"), "-traits": ("trust-traits", "service")}  # user and project of an entry


@dataclass(frozen=True, slots=True)
class Story:
    """What the fleet's story follows from. Kept from the first start on."""

    hosts: int
    seed: int
    started: float  # epoch seconds
    cast: str = ""


def set_environment(environment: dict[str, str] | os._Environ[str]) -> None:
    """Makes the data directory with its keys, and says so to the settings; raises `DemoError`."""
    options = Options.read(environment)
    secret_key = options.folder / "secret.key"
    try:
        options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(options.folder).free < LEAST_FREE_BYTES:
            raise DemoError(f"The disk of {options.folder} is full: at least 100 MiB must be free.")
        keep(secret_key, secrets.token_urlsafe(64))
    except OSError as error:
        raise DemoError(f"The data directory {options.folder} can't be used: {error.strerror}.") from None
    environment["TXT_DEMO"] = "true"
    environment["TXT_DATA_DIR"] = str(options.folder)
    environment["TXT_SECRET_KEY_FILE"] = str(secret_key)
    environment.setdefault("TXT_SERVER_NETWORKS", LOOPBACK_NETWORKS)
    if options.cloud:
        environment |= _cloud_settings(options)
        environment.setdefault(
            "TXT_POLLHOSTS_BLOB", keep(options.folder / "pollhosts-blob", secrets.token_urlsafe(24))
        )
    # A checkout is found by the four programs from wherever `run` was called.
    paths = (str(Path(__file__).resolve().parent.parent), environment.get("PYTHONPATH", ""))
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)


def keep(path: Path, text: str) -> str:
    """What the file holds; where it holds nothing, the text is put there, for its owner's eyes only."""
    if path.exists() and (kept := path.read_text().strip()):
        return kept
    _put(path, text)
    return text


def _put(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600, exist_ok=False)
    new.write_text(text + "\n")
    new.replace(path)


def password(options: Options) -> str:
    """The password of all demo accounts: the one given, or a random one that stays the same between starts."""
    return options.password or keep(options.folder / "demo-password", secrets.token_urlsafe(9))


def story(options: Options) -> Story:
    """The story of this data directory, begun now at its first start.

    Raises `DemoError` where another fleet is asked for: its golden values would match no host of this one.
    """
    seed = DEFAULT_SEED if options.seed is None else options.seed
    begun = Story(hosts=options.hosts or DEFAULT_HOSTS, seed=seed, started=time.time(), cast=options.cast or "")
    path = options.folder / "story.json"
    try:
        kept = Story(**json.loads(keep(path, json.dumps(asdict(begun)))))
    except (ValueError, TypeError):
        raise DemoError(f"{path} can't be read. Remove {options.folder} to begin anew.") from None
    for name, asked, is_now in (
        ("TXT_SIM_HOSTS", options.hosts, kept.hosts),
        ("TXT_SIM_SEED", options.seed, kept.seed),
        ("TXT_SIM_CAST", options.cast, kept.cast),
    ):
        if asked not in (None, is_now):
            raise DemoError(
                f"{options.folder} holds a fleet that began with {name}={is_now}. "
                f"For another one choose another TXT_DATA_DIR, or remove this one."
            )
    return kept


def simulator_serving(options: Options, story: Story) -> tuple[str, ...]:
    """The command that serves this story, and keeps what the simulated server is told in the data directory."""
    state = str(options.folder / "simulator.json")
    serving = {"--port": options.simulator_port, "--speed": options.speed, "--until": options.until, "--state": state}
    return (*simulator(story), *(str(part) for option in serving.items() for part in option))


def simulator(story: Story) -> tuple[str, ...]:
    """The command of the simulator for this story."""
    who: dict[str, object] = {"--cast": story.cast} if story.cast else {"--hosts": story.hosts}
    options = {**who, "--seed": story.seed, "--started": story.started}
    command = (sys.executable, "-m", "txt_dashboard.simulator")
    return (*command, *(str(part) for option in options.items() for part in option))


def cloud_serving(options: Options, story: Story) -> tuple[str, ...]:
    """The command that serves the cloud of this story, with passwords and what it is told in the data directory."""
    serving = {
        "--port": options.cloud_port,
        "--hosts": story.hosts,
        "--seed": story.seed,
        "--passwords": _passwords_file(options),
        "--state": options.folder / "cloud.jsonl",
    }
    command = (sys.executable, "-m", "txt_dashboard.simulator.openstack")
    return (*command, *(str(part) for option in serving.items() for part in option))


def write_cloud_accounts(options: Options) -> None:
    """The files of the simulated cloud's accounts: passwords for it, and the log-ins of the product's own."""
    ours = keep(options.folder / "cloud-password", secrets.token_urlsafe(24))
    known = {user: ours for user, _ in _OUR_ACCOUNTS.values()} | dict.fromkeys(CLOUD_ACCOUNTS, password(options))
    _put(_passwords_file(options), json.dumps(known))
    domain = {"user_domain_id": DOMAIN["id"], "project_domain_id": DOMAIN["id"]}
    where = {"auth_url": f"http://127.0.0.1:{options.cloud_port}/identity/v3", **domain}
    logins = {
        CLOUD + ending: {"auth": {**where, "username": user, "password": ours, "project_name": project}}
        for ending, (user, project) in _OUR_ACCOUNTS.items()
    }
    _put(options.clouds_file, json.dumps({"clouds": logins}, indent=2))  # all JSON is YAML


def _cloud_settings(options: Options) -> dict[str, str]:
    """Whoever is an administrator of the simulated cloud is one here, too; who may look there may look here."""
    return {
        "TXT_CLOUDS": CLOUD,
        "TXT_POOLS_FROM": "zone",
        "TXT_CLOUDS_FILE": str(options.clouds_file),
        "TXT_KEYSTONE_CONFIG": str(options.clouds_file),
        "TXT_KEYSTONE_CLOUD": CLOUD,
        "TXT_KEYSTONE_PROJECT": project_named("admin").id,
        "TXT_KEYSTONE_ROLES": "admin=administrator,reader=viewer",
    }


def _passwords_file(options: Options) -> Path:
    return options.folder / "cloud-passwords.json"


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, which ends with the process; raises `DemoError` where somebody has it."""
    with (folder / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"Another `run` uses {folder}. Stop it, or choose another TXT_DATA_DIR and TXT_PORT."
            ) from None
        yield


def require_free(host: str, port: int) -> None:
    """Raises `DemoError` where somebody listens on the port already, or we may not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DemoError(
                f"Port {port} on {host} can't be used: {error.strerror}. Choose another with TXT_PORT; "
                f"the simulated server and cloud take the two after it."
            ) from None
