"""One member of a zip; `sources/test_archive.py` tests hostile archives as a whole."""

import io
import zipfile

import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.midi.zip_member import RATIO_FREE_BYTES, read_member


@pytest.fixture
def packed():
    """A zip with the most zeros allowed at any ratio, and with one more."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("free", bytes(RATIO_FREE_BYTES))
        archive.writestr("more", bytes(RATIO_FREE_BYTES + 1))
    with zipfile.ZipFile(data) as archive:
        yield archive


def test_the_ratio_counts_only_above_a_harmless_size(packed):
    assert len(read_member(packed, packed.getinfo("free"))) == RATIO_FREE_BYTES
    with pytest.raises(RejectedInputError, match=r"unpacks to more than 200 times its 1,0[0-9]{2} packed bytes"):
        read_member(packed, packed.getinfo("more"))
    assert len(read_member(packed, packed.getinfo("more"), max_ratio=2000)) == RATIO_FREE_BYTES + 1


def test_the_error_names_the_smaller_of_the_two_limits(packed):
    with pytest.raises(RejectedInputError, match="unpacks to more than 1,000 bytes"):
        read_member(packed, packed.getinfo("more"), max_bytes=1000)


def test_a_wrong_size_in_the_zip_does_not_matter(packed):
    member = packed.getinfo("free")
    member.file_size = 10
    with pytest.raises(RejectedInputError, match="cannot be unpacked: Bad CRC-32"):
        read_member(packed, member)
