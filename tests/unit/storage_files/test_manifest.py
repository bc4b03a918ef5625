from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.errors import CorruptionError
from raybase.model import META_REGION, RegionInfo, TableName
from raybase.storage.manifest import (
    Manifest,
    NonceFileEntry,
    StoreFileEntry,
    family_directory,
    manifest_directory,
    manifest_path,
    region_directory,
)

REGION = RegionInfo(TableName("ns", "t"), b"a\0", b"b\xff", 17)
MANIFEST = Manifest(
    version=4,
    region=REGION,
    owner="host,123,456",
    master_epoch=7,
    open_sequence_id=88,
    max_sequence_id=99,
    flushed={b"f": 90, b"g": 80},
    clock_ms=1_700_000_000_000,
    nonce_age_ms=500_000,
    nonce_files=(NonceFileEntry("data/ns/t/x/nonces/three", 350_000, 400_000, 500_000),),
    files=(
        StoreFileEntry(b"f", "data/ns/t/x/f/one", 1000, 10, 90),
        StoreFileEntry(b"g", "data/ns/t/y/g/two", 2000, 20, 80, b"\0\xff", b"q", 5, 6, True),
    ),
)

numbers = st.integers(0, 2**63 - 1)
entries = st.builds(
    StoreFileEntry,
    st.sampled_from([b"f", b"g"]),
    st.text(max_size=20),
    numbers,
    numbers,
    numbers,
    st.binary(max_size=8),
    st.binary(max_size=8),
    numbers,
    numbers,
    st.booleans(),
)
nonce_files = st.builds(NonceFileEntry, st.text(max_size=20), numbers, numbers, numbers)
manifests = st.builds(
    Manifest,
    version=st.integers(0, 10**9),
    region=st.builds(
        RegionInfo,
        st.just(TableName("default", "t")),
        st.binary(max_size=8),
        st.binary(max_size=8),
        numbers,
        st.booleans(),
        st.booleans(),
    ),
    owner=st.text(max_size=10),
    master_epoch=numbers,
    flushed=st.dictionaries(st.sampled_from([b"f", b"g"]), numbers),
    nonce_age_ms=numbers,
    nonce_files=st.lists(nonce_files, max_size=5).map(tuple),
    files=st.lists(entries, max_size=5).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(manifests)
def test_what_is_encoded_is_decoded(manifest):
    assert Manifest.decode(manifest.path, manifest.encode()) == manifest


def test_equal_manifests_have_equal_bytes():
    other = MANIFEST.next(flushed={b"g": 80, b"f": 90})
    assert other.encode() == MANIFEST.next().encode()


def test_every_flipped_bit_is_found():
    data = MANIFEST.encode()
    for at in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            with pytest.raises(CorruptionError) as raised:
                Manifest.decode(MANIFEST.path, bytes(damaged))
            assert raised.value.path == MANIFEST.path


def test_every_truncation_is_found():
    data = MANIFEST.encode()
    for length in range(len(data)):
        with pytest.raises(CorruptionError):
            Manifest.decode(MANIFEST.path, data[:length])
    with pytest.raises(CorruptionError):
        Manifest.decode(MANIFEST.path, data + b"\0")


def test_a_manifest_under_another_versions_name_is_refused():
    with pytest.raises(CorruptionError, match="version 4"):
        Manifest.decode(manifest_path(REGION, 5), MANIFEST.encode())


def test_the_next_version_follows_and_the_old_one_stays():
    following = MANIFEST.next(owner="", files=())
    assert (following.version, following.owner, following.files) == (5, "", ())
    assert following.flushed == MANIFEST.flushed
    assert MANIFEST.owner == "host,123,456"


def test_a_file_with_a_bound_is_a_reference():
    assert [entry.is_reference for entry in MANIFEST.files] == [False, True]
    assert MANIFEST.files_of(b"g") == MANIFEST.files[1:]


def test_names_of_versions_sort_as_the_versions_do():
    names = [manifest_path(REGION, version) for version in (0, 1, 9, 10, 99, 100, 10**12)]
    assert names == sorted(names)


def test_places_are_those_of_hbase():
    encoded = REGION.encoded_name
    assert region_directory(REGION) == f"data/ns/t/{encoded}"
    assert family_directory(REGION, b"f") == f"data/ns/t/{encoded}/f"
    assert manifest_directory(REGION) == f"data/ns/t/{encoded}/manifest"
    assert region_directory(META_REGION) == "data/hbase/meta/1588230740"
    of_master = RegionInfo(TableName("master", "store"))
    assert region_directory(of_master).startswith("MasterData/data/master/store/")
