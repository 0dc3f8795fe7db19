"""What people read: tables, differences, and a bar. Nothing from outside can move the terminal's cursor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

BAR = 30
_GROUPS = ("differing", "missing", "uncompared", "matching")


def plain(value: object) -> str:
    """Text without signs that steer a terminal."""
    text = "" if value is None else str(value)
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as they need to be."""
    lines = [[*heads], *([plain(value) for value in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def hosts(items: Iterable[Mapping[str, Any]]) -> str:
    """Hosts, and why they are what they are."""
    rows = [(each["name"], each["pool"], each["state"], each["since"], each["sentence"]) for each in items]
    return table(("HOST", "POOL", "STATE", "SINCE", "WHY"), rows)


def diff(told: Mapping[str, Any]) -> str:
    """One host's registers, those that differ first."""
    parts = [f"{plain(told['name'])}: {plain(told['state'])}. {plain(told['sentence'])}"]
    for server in told["servers"]:
        parts.append(f"\n{plain(server['server'])}: {plain(server['sentence'])}")
        rows = [
            (group, f"{each['bank']}:{each['index']}", each["measures"], each["golden"] or "-", each["actual"] or "-")
            for group in _GROUPS
            for each in server[group]
        ]
        parts.append(table(("", "REGISTER", "MEASURES", "GOLDEN", "ACTUAL"), rows))
    return "\n".join(parts)


def baselines(items: Iterable[Mapping[str, Any]], proposals: Iterable[Mapping[str, Any]]) -> str:
    """What is in force, and what waits."""
    held = [(each["id"], each["name"], each["part"], ", ".join(each["pools"]) or "all") for each in items]
    waiting = [(each["id"], each["title"], each["proposed_by"], each["proposed_at"]) for each in proposals]
    parts = [table(("IN FORCE", "NAME", "PART", "POOLS"), held)]
    if waiting:
        parts.append(table(("PROPOSAL", "TITLE", "BY", "SINCE"), waiting))
    return "\n\n".join(parts)


def flavors(told: Mapping[str, Any]) -> str:
    """A cloud's flavors, and what is wrong."""
    lines = [f"! {plain(each['sentence'])}" for each in told["warnings"]]
    lines = [f"! {plain(told['problem'])}", *lines] if told["problem"] else lines
    rows = [
        (
            each["id"],
            each["name"],
            each["enforced"] or "-",
            _number(each["capacity"]),
            _number(each["instances"]),
            _number(each["old_demand"]),
            " ".join(warning["code"] for warning in each["warnings"]),
        )
        for each in told["items"]
    ]
    heads = ("ID", "FLAVOR", "TRUSTED BY", "FITS ON", "INSTANCES", "OLD DEMAND", "WARNINGS")
    return "\n".join([*lines, table(heads, rows)])


def flavor(told: Mapping[str, Any]) -> str:
    """What a flavor has become."""
    asks = f"trusted hosts, by {plain(told['enforced'])}" if told["trusted"] else "any host"
    lines = [f"{plain(told['name'])} asks for {asks}."]
    if told["old_demand"]:
        lines.append(f"{told['old_demand']} of its instances keep the demand that they were booted with.")
    return "\n".join(lines + [f"! {plain(each['sentence'])}" for each in told["warnings"]])


def _number(found: int | None) -> object:
    return "?" if found is None else found


def instances(told: Mapping[str, Any]) -> str:
    """Instances, and how the hosts stand that they are on."""
    lines = [f"! {plain(told['problem'])}"] if told["problem"] else []
    hosts = any(each["host"] for each in told["items"])
    rows = [
        (
            each["id"],
            each["name"],
            *([each["project_id"], each["host"] or "-"] if hosts else []),
            {True: each["enforced"] or "yes", False: "no", None: "?"}[each["asks"]],
            each["state"] + (" (at stake)" if each["at_stake"] else ""),
            each["since"] or "-",
            each["sentence"],
        )
        for each in told["items"]
    ]
    heads = ("ID", "NAME", *(("PROJECT", "HOST") if hosts else ()), "ASKS", "ITS HOST IS", "SINCE", "WHY")
    return "\n".join([*lines, table(heads, rows)])


def instance(told: Mapping[str, Any]) -> str:
    """One instance in a line, and what trusted does not mean."""
    state = f"{plain(told['name'] or told['id'])}: its host is {plain(told['state'])}. {plain(told['sentence'])}"
    return f"{state}\n{plain(told['means_not'])}" if told["state"] == "trusted" else state


def impact(proposal: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What somebody is about to approve."""
    lines = [f"{proposal['id']}: {plain(proposal['title'])} (by {plain(proposal['proposed_by'])})"]
    lines.append(f"Why: {plain(proposal['reason'])}")
    for change in proposal["changes"]:
        lines.append(f"  {'removes' if change['after'] is None else 'sets'} {plain(change['entry'])}")
        lines += [f"    {plain(name)}: {plain(value)}" for name, value in (change["after"] or {}).items()]
    if (hidden := proposal["changes_total"] - len(proposal["changes"])) > 0:
        lines.append(f"  and {hidden} more, which are not shown")
    counts = ", ".join(f"{count} {plain(change)}" for change, count in found["counts"].items()) or "none"
    lines.append(f"Of {found['hosts']} hosts, trust changes for: {counts}.")
    for change, names in found["examples"].items():
        lines.append(f"  {plain(change)}: {', '.join(plain(name) for name in names)} …")
    return "\n".join(lines)


def bar(told: Mapping[str, Any], out: TextIO) -> None:
    """How far a poll has come; drawn over itself on a terminal."""
    done, total = told["done"], max(told["total"], 1)
    full = BAR * done // total
    line = f"[{'#' * full}{'.' * (BAR - full)}] {done} of {told['total']} hosts, {told['failed']} failed"
    print(f"\r{line}" if out.isatty() else line, end="" if out.isatty() else "\n", file=out, flush=True)
