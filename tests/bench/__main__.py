"""Runs all benchmarks, each in a process of its own; the exit status is 1 where one fails.

`TXT_BENCH_DATABASE_URL` names a PostgreSQL server's database: then polling is measured there, too, in a
database of its own beside it.
"""

import os
import subprocess
import sys
import tempfile

BENCHES = ("evidence", "logs", "poll", "agents", "pages", "api", "impact", "memory", "audit", "pollhosts", "traits")


def main() -> int:
    """Returns the exit status."""
    failed = [bench for bench in BENCHES if not _passes(bench)]
    url = os.environ.get("TXT_BENCH_DATABASE_URL")
    if url and not _passes("poll", TXT_DATABASE_URL=url):
        failed.append("poll on PostgreSQL")
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return int(bool(failed))


def _passes(bench: str, **more: str) -> bool:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", "TXT_LOG_LEVEL": "WARNING", **more}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TXT_")}
    with tempfile.TemporaryDirectory(prefix="txt-dashboard-bench-") as folder:
        environment = {**inherited, **settings, "TXT_DATA_DIR": folder}
        return (
            subprocess.run([sys.executable, "-m", f"tests.bench.{bench}"], env=environment, check=False).returncode
            == 0
        )


if __name__ == "__main__":
    sys.exit(main())
