import os
import shutil

import pytest

from lstm_music.errors import CorruptArtifactError, MissingArtifactError
from lstm_music.store import ArtifactRef, Stage, files
from lstm_music.store.checksummed import dump_checksummed

KEY = "0" * 64


def test_an_artifact_tells_what_its_writer_noted(artifact, stage):
    assert artifact.ref == stage.ref
    assert artifact.counts == {"notes": 7}
    assert artifact.facts == {"warnings": ["none"]}
    assert artifact.inputs == ()
    assert artifact.manifest["spec"] == {"divisors": [8, 6]}


def test_inputs_come_back_in_order(store):
    inputs = (ArtifactRef("raw", KEY), ArtifactRef("events", KEY))
    stage = Stage("windows", 1, {}, inputs)
    with store.write(stage):
        pass
    assert store.open(stage.ref).inputs == inputs


def test_a_file_is_found_by_its_name_or_its_full_name(artifact):
    assert artifact.file("pieces").read_bytes() == b"pieces"
    assert artifact.file("pieces.parquet") == artifact.file("pieces")


def test_files_with_a_prefix_come_in_the_order_of_their_names(artifact):
    assert [path.read_bytes() for path in artifact.files("notes-")] == [b"first shard", b"second shard"]
    assert len(artifact.files()) == 3
    assert artifact.files("windows") == []


def test_a_file_that_is_not_in_the_manifest_is_refused_even_if_it_lies_there(artifact):
    (artifact.folder / "stranger.parquet").touch()
    with pytest.raises(
        MissingArtifactError, match=r"no file is named 'stranger'; expected one of notes-00000\.parquet, "
    ):
        artifact.file("stranger")


def test_a_name_that_several_files_share_needs_its_extension(store, stage):
    with store.write(stage) as writer:
        writer.file("piece", "mid").write_bytes(b"midi")
        writer.file("piece", "png").write_bytes(b"picture")
    artifact = store.open(stage.ref)
    assert artifact.file("piece.png").read_bytes() == b"picture"
    with pytest.raises(
        MissingArtifactError, match=r"2 files are named 'piece'; expected one of piece\.mid, piece\.png$"
    ):
        artifact.file("piece")


def test_an_artifact_without_files_says_so(store, stage):
    with store.write(stage):
        pass
    with pytest.raises(MissingArtifactError, match="it has no files"):
        store.open(stage.ref).file("notes")


def test_a_file_is_hashed_once_and_again_when_it_was_touched(artifact, monkeypatch):
    hashed = []
    real = files.sha256_of
    monkeypatch.setattr(files, "sha256_of", lambda path: hashed.append(path) or real(path))
    path = artifact.file("pieces")
    artifact.file("pieces")
    assert hashed == [path]
    os.utime(path)
    artifact.file("pieces")
    assert hashed == [path, path]


def test_a_changed_file_is_refused_and_named_even_after_it_was_read(artifact):
    path = artifact.file("pieces")
    path.write_bytes(b"PIECES")
    with pytest.raises(
        CorruptArtifactError, match=rf"^{path}: its bytes are not .*; delete the folder {artifact.folder} "
    ):
        artifact.file("pieces")
    with pytest.raises(CorruptArtifactError):
        artifact.files("pieces")


def test_a_short_file_is_refused_with_both_sizes(artifact):
    os.truncate(artifact.file("pieces"), 3)
    with pytest.raises(CorruptArtifactError, match="3 bytes instead of the 6 that were written"):
        artifact.file("pieces")


def test_a_lost_file_is_refused(artifact):
    artifact.file("pieces").unlink()
    with pytest.raises(CorruptArtifactError, match="missing"):
        artifact.file("pieces")


def test_a_file_that_cannot_be_read_is_refused(artifact, monkeypatch):
    def fail(path):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(files, "sha256_of", fail)
    with pytest.raises(CorruptArtifactError, match=r"cannot be read \(Input/output error\)"):
        artifact.file("pieces")


def test_an_artifact_that_was_never_made_is_missing(store):
    with pytest.raises(MissingArtifactError, match=r"no finished artifact there; run the stage .*\(notes\)"):
        store.open(ArtifactRef("notes", KEY))


def test_a_manifest_that_is_a_folder_is_corrupt(store, artifact):
    (artifact.folder / "manifest.json").unlink()
    (artifact.folder / "manifest.json").mkdir()
    with pytest.raises(CorruptArtifactError, match="cannot be read"):
        store.open(artifact.ref)


def test_an_artifact_under_another_key_is_refused(store, artifact):
    other = ArtifactRef("notes", KEY)
    shutil.copytree(artifact.folder, store.root / "notes" / KEY)
    with pytest.raises(
        CorruptArtifactError, match=r"expected the manifest of notes/0000000000000000, got that of another"
    ):
        store.open(other)


@pytest.mark.parametrize("file", ["../secret", "/etc/passwd", "a/b", ".."])
def test_a_manifest_cannot_name_a_file_outside_of_its_folder(store, artifact, file):
    files = {"pieces.parquet": {"name": "pieces", "file": file, "sha256": KEY, "bytes": 1}}
    (artifact.folder / "manifest.json").write_bytes(dump_checksummed({**artifact.manifest, "files": files}))
    with pytest.raises(CorruptArtifactError, match="expected files of its own folder, got"):
        store.open(artifact.ref)
