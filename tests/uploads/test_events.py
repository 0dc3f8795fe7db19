"""Baselines by events in a file: as the signed set holds them, or refused with the name of the baseline."""

import json

import pytest

from tests.attest.test_by_events import GOLDEN
from txt_dashboard.attest.entries import baseline_entry
from txt_dashboard.uploads.ours import FORMAT, read_document
from txt_dashboard.uploads.reading import Unusable


def document(**changes: object) -> bytes:
    return json.dumps({"format": FORMAT, "baselines": [{**baseline_entry(GOLDEN), **changes}]}).encode()


def test_what_is_in_force_can_be_proposed_from_a_file_as_it_is() -> None:
    (draft,) = read_document(document()).baselines
    assert draft.baseline() == GOLDEN


@pytest.mark.parametrize(
    "events",
    [{"5": [{"digest": "00"}]}, {"0": [{"digest": "00" * 32}]}, {"5": []}, {"5": [{}]}, {"5": [{"digest": 5}]}, 5],
)
def test_events_that_can_not_be_used_are_refused(events: object) -> None:
    with pytest.raises(Unusable):
        read_document(document(events=events))
