import errno
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lstm_music.errors import StorageError
from lstm_music.store import files


def test_sha256_is_that_of_the_whole_file(tmp_path):
    data = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(data)
    assert files.sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_names_are_sorted_and_leave_out_hidden_ones(tmp_path):
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).touch()
    assert files.names(tmp_path) == ["a", "b"]
    assert files.names(tmp_path / "absent") == []
    assert files.names(tmp_path / "a") == []


def test_write_if_absent_lets_the_first_win_and_leaves_no_temporary(tmp_path):
    partial = tmp_path / "partial"
    partial.mkdir()
    assert files.write_if_absent(tmp_path / "file", b"first", partial)
    assert not files.write_if_absent(tmp_path / "file", b"second", partial)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert list(partial.iterdir()) == []


def test_replace_writes_over_what_was_there(tmp_path):
    partial = tmp_path / "partial"
    partial.mkdir()
    files.replace(tmp_path / "file", b"first", partial)
    files.replace(tmp_path / "file", b"second", partial)
    assert (tmp_path / "file").read_bytes() == b"second"
    assert list(partial.iterdir()) == []


def test_a_new_file_never_overwrites(tmp_path):
    (tmp_path / "file").write_bytes(b"first")
    with pytest.raises(FileExistsError):
        files.write(tmp_path / "file", b"second")


def test_a_private_folder_ends_with_all_that_is_in_it(tmp_path):
    def interrupted():
        with files.private_folder(tmp_path / "new") as folder:
            (folder / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "new").iterdir()) == []


def test_remove_does_not_follow_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    files.remove(tmp_path / "link")
    assert (tmp_path / "folder" / "file").exists()
    files.remove(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "^/storage: No space left on device; give the storage"),
        (OSError(errno.EACCES, "Permission denied", "/storage/notes"), "^/storage/notes: Permission denied; "),
        (OSError(errno.EACCES, "Permission denied", b"/storage/notes"), "^/storage/notes: Permission denied; "),
        (OSError(errno.EACCES, "Permission denied", "/"), "^/: Permission denied; "),
    ],
)
def test_an_error_of_the_disk_or_inside_of_storage_is_one_sentence(tmp_path, error, sentence):
    root = type(tmp_path)("/storage")
    with pytest.raises(StorageError, match=sentence) as caught, files.disk_errors(root):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "No such file", "/music/a.mid"), OSError("no number"), ValueError()]
)
def test_an_error_elsewhere_stays_what_it_is(tmp_path, error):
    with pytest.raises(type(error)) as caught, files.disk_errors(tmp_path):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.EIO, "the disk failed"), (errno.EMFILE, "open files"), (errno.ENOSPC, "free space")]
)
def test_an_error_of_the_disk_without_a_name_is_one_sentence_with_advice(tmp_path, number, advice):
    with pytest.raises(StorageError, match=f"^{tmp_path}: .*{advice}"), files.disk_errors(tmp_path):
        raise OSError(number, "failed")


def test_on_a_file_system_without_hard_links_the_first_still_wins(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    partial = tmp_path / "partial"
    partial.mkdir()
    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(lambda n: files.write_if_absent(tmp_path / "file", b"%d" % n, partial), range(32)))
    assert sum(first) == 1
    assert (tmp_path / "file").read_bytes() == b"%d" % first.index(True)
    assert list(partial.iterdir()) == []
