"""What a real Keylime 7.14 answered, recorded: read, mapped and verified as it stands.

Needs the shared test data: its place is `TXT_SHARED_DATA`, by default `../shared/data` beside the checkout.
"""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from txt_dashboard.attest.evidence import Evidence, Verdict
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand, verify
from txt_dashboard.servers.keylime_notice import read_notice
from txt_dashboard.servers.keylime_policy import read_policy
from txt_dashboard.servers.keylime_quotes import read_quote
from txt_dashboard.servers.keylime_wire import policy_texts, read_answers, read_roll

pytestmark = pytest.mark.shared
DATA = Path(os.environ.get("TXT_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "keylime"
AGENT = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
QUOTED = frozenset({*range(8), 16, 17, 18})


def recorded(file: str, path: str) -> Any:
    """The body of the answer to a request whose path ends like this."""
    rows = json.loads((DATA / file).read_text())
    return next(each["body"] for each in rows if each["request"].endswith(path) and each.get("status") == 200)


def answer(file: str) -> Evidence:
    body = recorded(file, "/v2.6/agents/?bulk=true")
    last = datetime.fromtimestamp(body["results"][AGENT]["last_received_quote"], UTC)
    found = read_answers(read_roll(json.dumps(body).encode()), [AGENT], last + timedelta(seconds=5))[AGENT]
    assert isinstance(found, Evidence)
    return found


def test_an_agent_that_attests_is_trusted_and_one_that_failed_is_not() -> None:
    good, bad = answer("attesting.json"), answer("failed.json")
    assert (good.verdict, bad.verdict) == (Verdict.TRUSTED, Verdict.UNTRUSTED)
    assert bad.details["event"] == "pcr_validation.invalid_pcr_4"
    assert bad.attested_at > good.attested_at


@pytest.mark.parametrize("file", ["attesting.json", "failed.json"])
def test_its_quote_is_verified_by_the_key_that_the_registrar_shows(file: str) -> None:
    nonce = "1234567890ABCDEFHIJ"
    path = f"/v2.1/quotes/integrity?nonce={nonce}&mask=0x600ff&partial=1&ima_ml_entry=0"
    quote = read_quote(recorded(file, path)["results"]["quote"])
    rows = json.loads((DATA / "attesting.json").read_text())
    shown = [each["body"]["results"].get("aik_tpm") for each in rows if each.get("status") == 200 and each["body"]]
    key = load_key(base64.b64decode(next(filter(None, shown))))
    assert verify(quote, key, Demand(nonce.encode(), {Bank.SHA256: QUOTED})).accepted
    assert not verify(quote, key, Demand(b"another nonce of ours", {Bank.SHA256: QUOTED})).accepted


def test_what_differs_is_what_its_policy_does_not_allow() -> None:
    body = recorded("failed.json", "/v2.6/agents/?bulk=true")
    (text,) = policy_texts(read_roll(json.dumps(body).encode())).values()
    allowed = {index: value for each in read_policy(text, (AGENT,)) for index, value in each.values.items()}
    path = "/v2.1/quotes/integrity?nonce=1234567890ABCDEFHIJ&mask=0x600ff&partial=1&ima_ml_entry=0"
    shown = read_quote(recorded("failed.json", path)["results"]["quote"]).reported[Bank.SHA256]
    assert [index for index in sorted(allowed) if allowed[index] != shown[index]] == [4]


def test_its_notices_are_read() -> None:
    lines = (DATA / "webhook.jsonl").read_text().splitlines()
    assert len({read_notice(json.loads(line)["body"].encode()) for line in lines}) > 3
