"""Files of heads, as hostile as anything else that is read."""

import pytest

from tests.factories import NOON
from txt_dashboard.attest.signing import PublicKeys, SigningKey
from txt_dashboard.audit.heads import LONGEST_LINE, Head, HeadsUnusable, last_head, lines_of, read_heads, sign_head
from txt_dashboard.audit.keys import verifier
from txt_dashboard.keyring import KeyringError

LINE = b'{"at":"2026-11-23T12:00:00Z","count":%d,"digest":"d","key":"k","signature":"c2ln"}\n'


def test_what_is_signed_names_its_purpose_and_all_that_the_head_says(sign, signed) -> None:
    head = sign_head(sign, NOON, 7, "d" * 64)
    assert head.message == b'["txt-dashboard activity head 1","2026-11-23T12:00:00Z",7,"%s"]' % (b"d" * 64)
    assert head.is_signed(signed)


@pytest.mark.parametrize("change", [{"at": NOON.replace(hour=13)}, {"count": 8}, {"digest": "e" * 64}, {"key": "x"}])
def test_a_changed_head_is_not_signed(sign, signed, change) -> None:
    head = sign_head(sign, NOON, 7, "d" * 64)
    said = {name: getattr(head, name) for name in ("at", "count", "digest", "key", "signature")}
    assert not Head(**{**said, **change}).is_signed(signed)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"{\n",
        b"[1]\n",
        b"\xff{\xfe}\n",
        b'{"at":1}\n',
        LINE % 1 + b"more",
        LINE.replace(b"Z", b"") % 1,  # no zone
        LINE.replace(b"c2ln", b"!") % 1,
        LINE.replace(b'"key"', b'"kay"') % 1,
        b"{" * 100_000 + b"\n",
    ],
)
def test_a_line_without_a_head_is_passed_by(line) -> None:
    assert [head.count for head in read_heads([LINE % 1, *line.splitlines(keepends=True), LINE % 2], "f")][-1] == 2


def test_counts_that_go_back_are_named() -> None:
    with pytest.raises(HeadsUnusable, match="Line 2 of f counts 3 entries, one before it 5"):
        list(read_heads([LINE % 5, LINE % 3], "f"))


def test_a_line_without_an_end_takes_no_memory(tmp_path) -> None:
    (tmp_path / "heads").write_bytes(b"x" * 3 * LONGEST_LINE + b"\n" + LINE % 4)
    with (tmp_path / "heads").open("rb") as file:
        lines = list(lines_of(file))
    assert max(map(len, lines)) <= LONGEST_LINE
    assert [head.count for head in read_heads(lines, "f")] == [4]


def test_heads_that_workers_add_meanwhile_are_left_for_the_next_time(tmp_path) -> None:
    path = tmp_path / "heads"
    path.write_bytes(LINE % 1)
    with path.open("rb") as file:
        heads = read_heads(lines_of(file), "f")
        assert next(heads).count == 1
        with path.open("ab") as more:
            more.write(LINE % 2)
        assert list(heads) == []


def test_the_last_head_of_a_long_file(tmp_path) -> None:
    path = tmp_path / "heads"
    path.write_bytes(b"".join(LINE % number for number in range(1000)) + b'{"at":')
    with path.open("rb") as file:
        assert last_head(file).count == 999


def test_a_file_that_holds_no_public_keys(tmp_path) -> None:
    (tmp_path / "keys").write_text("no key")
    with pytest.raises(KeyringError, match="line 1 is not"):
        verifier(tmp_path / "keys")


def test_a_signature_of_an_earlier_key_still_counts_unless_that_is_void(sign, public_keys) -> None:
    head = sign_head(sign, NOON, 1, "d")
    keys = PublicKeys.parse(public_keys.read_text())
    public_keys.write_text(keys.with_key(SigningKey.generate().public).text())
    assert head.is_signed(verifier(public_keys))
    public_keys.write_text(keys.with_all_void().text())
    assert not head.is_signed(verifier(public_keys))
