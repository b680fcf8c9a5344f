import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.errors import CorruptArtifactError, StorageError
from lstm_music.store.checksummed import canonical, digest, dump_checksummed, load_checksummed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
MAPPINGS = st.dictionaries(st.text().filter(lambda key: key != "sha256"), JSON, max_size=4)
HERE = Path("manifest.json")


def test_canonical_spelling_is_one_line_of_ascii_with_sorted_keys():
    assert canonical({"b": (1, 2.5), "a": "♭"}) == b'{"a":"\\u266d","b":[1,2.5]}'


def test_digest_is_of_the_canonical_spelling():
    # sha256sum of the two bytes {}
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@given(MAPPINGS)
def test_digest_does_not_depend_on_the_order_of_keys(value):
    assert digest(dict(reversed(value.items()))) == digest(value)


@given(MAPPINGS, MAPPINGS)
def test_different_values_have_different_digests(one, other):
    assert (digest(one) == digest(other)) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), np.int64(3), {1, 2}, b"bytes", {1: "a"}, {"a": {None: 1}}]
)
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(StorageError, match="manifest: expected"):
        canonical(value)


@given(MAPPINGS)
def test_what_was_sealed_comes_back(value):
    assert load_checksummed(dump_checksummed(value), HERE, "mend") == value


def test_any_flipped_bit_is_found():
    data = dump_checksummed({"spec": {"stride": 1}, "files": ["notes.parquet"], "ratio": 0.5, "title": "Für Elise"})
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(CorruptArtifactError, match=r"manifest\.json: its \d+ bytes are not .*; delete it$"):
            load_checksummed(bytes(flipped), HERE, "delete it")


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"{}", b'{"sha256": 1}', b"\xff\xfe", b"[" * 100_000, dump_checksummed({})[:-1]]
)
def test_what_was_never_sealed_is_refused(data):
    with pytest.raises(CorruptArtifactError):
        load_checksummed(data, HERE, "delete it")
