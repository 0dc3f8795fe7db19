"""Settings and their documentation say the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "settings.md").read_text()


def found(pattern: str, text: str) -> set[str]:
    return set(re.findall(pattern, text, re.MULTILINE))


def test_every_setting_is_documented_and_nothing_else():
    sources = [(ROOT / "txt_dashboard" / name).read_text() for name in ("settings.py", "demo.py", "demo_options.py")]
    read = found(r'"(TXT_[A-Z_]+)"', "\n".join(sources)) - {"TXT_SECRET_KEY_FILE"}
    assert found(r"^\| `(TXT_[A-Z_]+)` \|", DOCUMENT) == read


def test_every_check_is_documented_and_nothing_else():
    numbers = r"TXT\.[EW]\d{3}"
    source = (ROOT / "txt_dashboard" / "checks.py").read_text()
    assert found(numbers, source) == found(numbers, DOCUMENT)


def test_the_clouds_and_the_file_of_their_accounts_are_two_settings(tmp_path):
    environment = {**os.environ, "TXT_CLOUDS": "east,west", "TXT_CLOUDS_FILE": str(tmp_path / "clouds.yaml")}
    asked = "from txt_dashboard import settings; print(settings.TXT_CLOUDS, settings.TXT_CLOUDS_FILE)"
    told = subprocess.run(
        [sys.executable, "-c", asked], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == f"['east', 'west'] {tmp_path / 'clouds.yaml'}", told.stderr
