"""Every register has a meaning, and the two TXT mappings move a kernel update to different registers."""

import pytest

from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank
from txt_dashboard.attest.registers import LaunchMapping, mapping_of, meaning

VALUE = b"\x01" * 20


@pytest.mark.parametrize("mapping", LaunchMapping)
@pytest.mark.parametrize("index", range(REGISTER_COUNT))
def test_every_register_has_a_meaning_under_every_mapping(index: int, mapping: LaunchMapping) -> None:
    found = meaning(index, mapping)
    assert found.measures
    assert found.changes


def test_there_is_no_register_beyond_23() -> None:
    with pytest.raises(KeyError):
        meaning(REGISTER_COUNT, LaunchMapping.LEGACY)


def test_a_kernel_update_moves_18_in_the_legacy_mapping_and_17_in_the_other() -> None:
    assert "kernel" in meaning(18, LaunchMapping.LEGACY).changes
    assert "kernel" not in meaning(17, LaunchMapping.LEGACY).changes
    assert "kernel" in meaning(17, LaunchMapping.DETAILS_AUTHORITIES).changes
    assert "kernel" not in meaning(18, LaunchMapping.DETAILS_AUTHORITIES).changes


def test_sha1_alone_is_read_as_a_tpm_1_2_with_the_legacy_mapping() -> None:
    assert mapping_of({Bank.SHA1: {18: VALUE}}) is LaunchMapping.LEGACY


@pytest.mark.parametrize("banks", [{Bank.SHA256}, {Bank.SHA1, Bank.SHA256}, set()])
def test_any_other_set_of_banks_is_read_as_details_and_authorities(banks: set[Bank]) -> None:
    assert mapping_of({bank: {} for bank in banks}) is LaunchMapping.DETAILS_AUTHORITIES
