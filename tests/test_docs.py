"""The documentation says what is so."""

import json
import re
from pathlib import Path

import pytest

from tests.rows import make_server
from txt_dashboard.actions.permissions import COMMAND_LINE, Role
from txt_dashboard.actions.reference import propose_file
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.management.demo_data import ACCOUNTS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_page_is_in_an_index():
    for folder in (DOCS, DOCS / "decisions"):
        index = (folder / "README.md").read_text()
        pages = {page.name for page in folder.glob("*.md")} - {"README.md"}
        assert [name for name in sorted(pages) if f"({name})" not in index] == []


def test_users_are_told_every_reason_by_its_code_and_sentence():
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| [\w ]+ \|$", (DOCS / "users.md").read_text(), re.MULTILINE)
    assert rows == [(reason.code, reason.sentence) for reason in Reason]


def test_every_make_target_is_in_the_readme():
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    readme = (ROOT / "README.md").read_text()
    assert [target for target in targets if target != "help" and f"make {target}" not in readme] == []


def test_the_readme_names_the_accounts_of_the_demonstration():
    readme = (ROOT / "README.md").read_text()
    assert [name for name in ACCOUNTS if f"`{name}`" not in readme] == []


def test_operators_are_told_every_role():
    told = re.findall(r"^\| (\w+) \| ", (DOCS / "operators.md").read_text(), re.MULTILINE)
    assert {role.value for role in Role} <= set(told)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_file_that_is_named_is_there(page):
    text = page.read_text()
    own = {path.stem for path in (ROOT / "txt_dashboard/management/commands").glob("*.py")}
    others = {"migrate", "collectstatic", "check", "clearsessions", "axes_reset", "axes_reset_logs"}
    assert set(re.findall(r"txt-dashboard-manage (\w+)", text)) <= own | others
    rooms = "attest|servers|models|queries|actions|web"
    files = re.findall(rf"`((?:{rooms})/\w+\.py)`", text)
    assert [name for name in files if not (ROOT / "txt_dashboard" / name).is_file()] == []


def test_the_example_of_a_baseline_file_can_be_proposed(db, clock):
    example = re.search(r"```json\n(.*?)```", (DOCS / "baselines.md").read_text(), re.DOTALL)[1]
    make_server(json.loads(example)["policies"][0]["server"])
    proposal = propose_file(COMMAND_LINE, example.encode(), title="Example", reason="It is one.", now=clock())
    assert sorted(id_.partition(":")[0] for id_ in proposal.patch["changes"]) == ["baseline", "policy"]


def test_the_changelog_speaks_of_this_version():
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
    assert f"## {version} " in (ROOT / "CHANGELOG.md").read_text()
