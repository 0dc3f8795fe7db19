"""A file of either form is told apart by what it says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.uploads.test_mle import VMM
from tests.uploads.test_ours import GOLDEN, POLICY, document
from txt_dashboard.uploads.files import read_file
from txt_dashboard.uploads.reading import LARGEST, Unusable


def test_ours_has_a_format_and_the_others_have_none() -> None:
    ours = read_file(document(GOLDEN, policies=[POLICY]))
    assert ([each.name for each in ours.baselines], len(ours.policies)) == (["VMM 1"], 1)
    for mles in (VMM, [VMM]):
        theirs = read_file(json.dumps(mles).encode())
        assert ([each.name for each in theirs.baselines], theirs.policies) == (["tboot 6.1.0-38 (Debian 12)"], ())


@pytest.mark.parametrize("raw", [b"", b"null", b'{"format": 5}', b"[" * 100_000, b"\xff", b" " * (LARGEST + 1)])
def test_what_is_neither_is_refused(raw) -> None:
    with pytest.raises(Unusable) as caught:
        read_file(raw)
    assert len(caught.value.sentences) == 1


@given(st.binary(max_size=100) | st.text('{}[]":,format', max_size=40).map(str.encode))
def test_no_bytes_end_in_anything_but_a_refusal(raw) -> None:
    with pytest.raises(Unusable):
        read_file(raw)
