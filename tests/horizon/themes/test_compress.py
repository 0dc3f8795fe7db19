"""Our styles compile in each theme: an undefined variable would break every page of Horizon."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_static_files_are_built_in_both_themes(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "DJANGO_SETTINGS_MODULE": "tests.horizon.themes.settings",
        "HORIZON_STATIC": str(tmp_path),
    }
    for command in (["collectstatic", "--noinput", "--verbosity", "0"], ["compress", "--force"]):
        line = [sys.executable, "-m", "django", *command]
        ended = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    built = [path.read_text() for path in tmp_path.rglob("output.*.css")]
    ours = {css for css in built if ".trust-untrusted" in css}
    assert len(ours) == 2, "one for each theme"
    assert any("data-trust-live" in path.read_text() for path in tmp_path.rglob("output.*.js"))
    (manifest,) = tmp_path.rglob("manifest.json")
    assert json.loads(manifest.read_text())
