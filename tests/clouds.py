"""A connected cloud for tests of pages, the API and its command: real HTTP, and a clouds.yaml that leads there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cloud.fake import login, serve
from tests.cloud.living import Flavor, LivingCloud
from txt_dashboard.actions.clouds.connect import connect
from txt_dashboard.actions.clouds.keeper import Keeper
from txt_dashboard.servers.base import Clock

TRAIT = "CUSTOM_TRUSTED_HOST"
REQUIRED = {f"trait:{TRAIT}": "required"}


@contextmanager
def connected(folder: Path, settings: Any) -> Iterator[LivingCloud]:
    """The cloud `east` with three hypervisors, an ordinary flavor and a trusted one; no worker has looked yet."""
    made = LivingCloud()
    for number in (1, 2, 3):
        made.add(f"u{number}", f"hv{number}")
    made.flavors = {"f-1": Flavor("m1.small", {"hw:cpu_policy": "shared"}), "f-2": Flavor("m1.safe", dict(REQUIRED))}
    with serve(made):
        file = folder / "clouds.yaml"
        file.write_text(yaml.safe_dump({"clouds": {"east": {"auth": dict(login(made).auth)}}}))
        settings.TXT_CLOUDS, settings.TXT_CLOUDS_FILE = ["east"], str(file)
        yield made


def look(clock: Clock) -> None:
    """What workers do at one tick."""
    keeper = Keeper(connect, clock)
    keeper.match()
    keeper.keep_traits()
    keeper.look_at_flavors()
