"""The list of hosts that an operator brings along."""

import csv
from pathlib import Path

from django.core.management.base import CommandError

HEADER = ["host", "pool"]


def read_inventory(file: Path) -> list[tuple[str, str]]:
    """Names and pools; raises `CommandError` where the file is no such list, `OSError` where it can't be read."""
    try:
        lines = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{file} is no CSV file in UTF-8: {error}.") from error
    if lines[:1] != [HEADER]:
        raise CommandError(f"{file} must begin with the line {','.join(HEADER)}.")
    for number, line in enumerate(lines, start=1):
        if len(line) != len(HEADER):
            raise CommandError(f"Line {number} of {file} has {len(line)} values, not two.")
    return [(name.strip(), pool.strip()) for name, pool in lines[1:]]
