"""What the environment says of the demonstration that `manage.py run` starts; it knows no Django."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from txt_dashboard.simulator.fleet import FEWEST_HOSTS

MOST_HOSTS = 100_000
# Settings of a real installation: the demonstration would put accounts with a printed password into it.
FOREIGN = ("TXT_SETTINGS_FILE", "TXT_DATABASE_URL")


class DemoError(Exception):
    """The demonstration can't start; the sentence says why, and what helps."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the environment says about the demonstration."""

    folder: Path
    host: str
    port: int
    password: str
    hosts: int | None
    seed: int | None
    speed: float
    until: float
    cloud: bool
    cast: str | None = None  # the file of hosts that a test has it play instead of the fleet

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Raises `DemoError` with the name of a variable that can't be used."""
        for name in FOREIGN:
            if environment.get(name):
                raise DemoError(f"`run` is the demonstration and keeps to its own database. Unset {name}.")
        hosts = _whole(environment, "TXT_SIM_HOSTS", FEWEST_HOSTS, MOST_HOSTS)
        cast = environment.get("TXT_SIM_CAST")
        return cls(
            folder=Path(environment.get("TXT_DATA_DIR") or ".data").resolve(),
            host=_loopback(environment.get("TXT_HOST") or "127.0.0.1"),
            port=_whole(environment, "TXT_PORT", 1, 65533) or 8000,
            password=environment.get("TXT_DEMO_PASSWORD", ""),
            hosts=hosts,
            seed=_whole(environment, "TXT_SIM_SEED", 0, 2**31),
            speed=_above_0(environment, "TXT_SIM_SPEED", 1),
            until=_above_0(environment, "TXT_SIM_UNTIL", math.inf),
            cloud=not cast and _yes(environment, "TXT_SIM_CLOUD"),
            cast=str(Path(cast).resolve()) if cast else None,
        )

    @property
    def simulator_port(self) -> int:
        """Follows from the web port."""
        return self.port + 1

    @property
    def cloud_port(self) -> int:
        """The same for the simulated cloud."""
        return self.port + 2

    @property
    def clouds_file(self) -> Path:
        """The accounts at the simulated cloud that the product uses itself."""
        return self.folder / "clouds.yaml"

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def _loopback(text: str) -> str:
    host = "127.0.0.1" if text == "localhost" else text.strip("[]")
    try:
        if ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise DemoError(f"The demonstration speaks plain HTTP and stays on loopback: TXT_HOST can't be {text!r}.")


def _whole(environment: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = environment.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise DemoError(f"{name} must be a whole number from {least} to {most}; it is {text!r}.")
    return int(text)


def _yes(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name) or "true"
    if text not in ("true", "false"):
        raise DemoError(f"{name} must be true or false; it is {text!r}.")
    return text == "true"


def _above_0(environment: Mapping[str, str], name: str, otherwise: float) -> float:
    text = environment.get(name)
    if not text:
        return otherwise
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1e6:
        raise DemoError(f"{name} must be a number above 0; it is {text!r}.")
    return number
