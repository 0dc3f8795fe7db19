"""Our styles compile in each theme: an undefined variable would break every page of Horizon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

THEMES = ("default", "material")


@pytest.mark.timeout(300)
def test_static_files_are_built_in_each_theme(tmp_path):
    ours = {theme: build(tmp_path / theme, theme) for theme in THEMES}
    assert ours["default"] != ours["material"], "colours are those of the theme"


def build(folder: Path, theme: str) -> str:
    """Our part of the styles, as an operator builds them."""
    folder.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "DJANGO_SETTINGS_MODULE": "tests.horizon.themes.settings",
        "HORIZON_STATIC": str(folder),
        "HORIZON_THEME": theme,
    }
    for command in (["collectstatic", "--noinput", "--verbosity", "0"], ["compress", "--force"]):
        line = [sys.executable, "-m", "django", *command]
        ended = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    assert any("trustLive" in path.read_text() for path in folder.rglob("output.*.js"))
    (built,) = [css for path in folder.rglob("output.*.css") if ".trust-untrusted" in (css := path.read_text())]
    return built[built.index(".trust-state") :]
