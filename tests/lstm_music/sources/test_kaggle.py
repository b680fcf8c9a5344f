"""A dataset on Kaggle: the real client against a server of our own that speaks its protocol, and misbehaves."""

import json
import random
import threading
import zipfile
from pathlib import Path

import pytest
from kaggle_server import SIGNATURE, Answer, Dataset
from zip_bytes import zip_bytes

from lstm_music.errors import SourceError, StorageError
from lstm_music.sources import kaggle as kaggle_source
from lstm_music.sources.entry import Credit, Found
from lstm_music.sources.kaggle import DEFAULT_DATASET, Kaggle
from lstm_music.sources.kaggle_child import CHUNK_BYTES
from lstm_music.store import Store

SECRET = "KGAT_1f2e3d4c5b6a79881f2e3d4c5b6a7988"
MUSIC = {"bach/846.mid": random.Random(1).randbytes(1_000_000), "chopin/op28.mid": b"prelude"}
ZIP = zip_bytes(MUSIC.items(), zipfile.ZIP_STORED)
OTHER_ZIP = zip_bytes([("bach/847.mid", random.Random(2).randbytes(900_000))], zipfile.ZIP_STORED)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


@pytest.fixture
def server(kaggle, monkeypatch):
    """The server with one public dataset, and a client that is not patient."""
    monkeypatch.setattr(kaggle_source, "WAITS_SECONDS", (0.05, 0.05, 0.05))
    monkeypatch.setattr(kaggle_source, "SILENCE_SECONDS", 1.0)
    kaggle.datasets["alice/music"] = Dataset(ZIP)
    return kaggle


def fetch(store, text="kaggle:alice/music", report=lambda _here, _all: None):
    return Kaggle(text).fetch(store, report)


def failure(store, kind=SourceError, text="kaggle:alice/music"):
    """Give the sentence that a download fails with; nothing secret is in it or in what is noted beside it."""
    with pytest.raises(kind) as raised:
        fetch(store, text)
    said = str(raised.value)
    assert said.startswith(f"source '{text}': ")
    assert said.count("\n") == 0
    for part in (said, *raised.value.__notes__):
        assert SECRET not in part
        assert SIGNATURE not in part
    return said


def kept(store):
    """The zips in the store."""
    return [artifact.file("dataset").read_bytes() for artifact in store.artifacts("downloads")]


def unfinished(store):
    return [path for path in (store.root / "unfinished").rglob("*") if path.is_file() and path.suffix != ".lock"]


# --- who asks


def test_a_public_dataset_needs_no_credentials_and_leaves_nothing_at_home(server, store):
    source = fetch(store)
    assert list(source.entries()) == [Found(name, data) for name, data in MUSIC.items()]
    assert source.describe("bach/846.mid") == Credit(
        "bach", "Kaggle dataset alice/music", "as stated on the page of alice/music on Kaggle"
    )
    assert source.title == "kaggle:alice/music"
    assert [asked.headers.get("Authorization") for asked in server.asked] == [None, None]
    assert list(Path.home().iterdir()) == []
    assert kept(store) == [ZIP]
    assert store.verify().bad == []


def test_kaggle_alone_is_the_collection_that_the_project_began_with(kaggle, store):
    kaggle.datasets[DEFAULT_DATASET] = Dataset(ZIP)
    assert len(list(fetch(store, "kaggle").entries())) == 2


def in_environment(monkeypatch, folder):
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET)
    return "KAGGLE_API_TOKEN"


def in_a_file_that_the_environment_names(monkeypatch, folder):
    (folder / "token").write_text(f"{SECRET}\n")
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(folder / "token"))
    return "KAGGLE_API_TOKEN"


def in_access_token(monkeypatch, folder):
    write_at_home("access_token", SECRET)
    return "~/.kaggle/access_token"


def as_username_and_key(monkeypatch, folder):
    monkeypatch.setenv("KAGGLE_USERNAME", "alice")
    monkeypatch.setenv("KAGGLE_KEY", SECRET)
    return "KAGGLE_USERNAME and KAGGLE_KEY"


def in_kaggle_json(monkeypatch, folder):
    write_at_home("kaggle.json", json.dumps({"username": "alice", "key": SECRET}))
    return "kaggle.json"


def in_another_folder(monkeypatch, folder):
    (folder / "kaggle.json").write_text(json.dumps({"username": "alice", "key": SECRET}))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(folder))
    return "kaggle.json"


def in_xdg_config(monkeypatch, folder):
    path = Path.home() / ".config" / "kaggle" / "kaggle.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"username": "alice", "key": SECRET}))
    return "kaggle.json"


def by_login(monkeypatch, folder):
    login = {"refresh_token": "refresh", "access_token": SECRET, "username": "alice", "scopes": []}
    write_at_home("credentials.json", json.dumps({**login, "access_token_expiration": "2999-01-01T00:00:00+00:00"}))
    return "~/.kaggle/credentials.json"


def write_at_home(name, text):
    path = Path.home() / ".kaggle" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


KINDS = [
    in_environment,
    in_a_file_that_the_environment_names,
    in_access_token,
    as_username_and_key,
    in_kaggle_json,
    in_another_folder,
    in_xdg_config,
    by_login,
]
each_kind = pytest.mark.parametrize("credentials", KINDS, ids=lambda kind: kind.__name__)


@each_kind
def test_each_kind_of_credentials_opens_a_private_dataset(server, store, monkeypatch, tmp_path, credentials):
    server.datasets["alice/music"].owner = "alice"
    server.tokens[SECRET], server.keys["alice"] = "alice", SECRET
    credentials(monkeypatch, tmp_path)
    assert len(list(fetch(store).entries())) == 2
    assert server.asked_for()[0].headers["Authorization"].partition(" ")[0] in {"Bearer", "Basic"}
    assert [asked.headers.get("Authorization") for asked in server.downloads()] == [None]
    assert all(SECRET.encode() not in path.read_bytes() for path in store.root.rglob("*") if path.is_file())


@each_kind
def test_credentials_that_are_not_accepted_are_named_by_their_place(server, store, monkeypatch, tmp_path, credentials):
    place = credentials(monkeypatch, tmp_path)
    said = failure(store)
    assert f"Kaggle rejects the credentials in {place} (401); create a token in the settings" in said


def test_a_token_that_makes_the_package_fail_is_not_quoted(server, store, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET * 10)  # it takes the token for a path, and that is too long for one
    assert "the package kaggle failed with OSError (" in failure(store)


# --- what Kaggle refuses


def test_a_private_dataset_asks_for_credentials(server, store):
    server.datasets["alice/music"].owner = "bob"
    assert "requires credentials for alice/music (403); create a token" in failure(store)


def test_an_account_that_may_not_have_a_dataset_is_told_what_to_do(server, store, monkeypatch):
    server.datasets["alice/music"].owner = "bob"
    server.tokens[SECRET] = "alice"
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET)
    assert "the account of the credentials in KAGGLE_API_TOKEN may not download alice/music (403)" in failure(store)


def test_a_dataset_that_is_not_there_is_named(server, store):
    said = failure(store, text="kaggle:alice/musik")
    assert "alice/musik is not on Kaggle, or is private (404)" in said
    assert list(store.refs()) == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(401), "requires credentials for alice/music (401)"),
        (Answer(418), "refuses the download of alice/music (status 418); download the zip in a browser"),
        (Answer(200, b'{"code": 403, "message": "no"}'), "requires credentials for alice/music (403)"),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_other_refusals_are_final(server, store, answer, sentence):
    server.api.append(answer)
    assert sentence in failure(store)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_error_of_the_server_is_waited_for(server, store, status):
    server.api += [Answer(status), Answer(status, b"<html>", "text/html")]
    server.storage += [Answer(status)]
    fetch(store)
    assert kept(store) == [ZIP]
    server.api += [Answer(status)] * 4
    assert f"Kaggle has a problem of its own (status {status}); run the same command again" in failure(store)
    assert server.api == []


def test_an_answer_that_nobody_expects_is_a_sentence_too(server, store):
    server.datasets["alice/music"].last_modified = "yesterday"
    assert "the package kaggle failed with ValueError (" in failure(store)


# --- no way to Kaggle


def test_without_a_network_it_says_so(server, store, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert "the proxy in HTTPS_PROXY does not reach Kaggle; run the same command again" in failure(store)


def test_a_certificate_that_is_not_trusted_is_said(server, store, monkeypatch):
    import certifi

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    said = failure(store)
    assert "this machine does not trust the certificate of the server" in said
    assert "REQUESTS_CA_BUNDLE" in said


def test_a_package_that_is_not_installed_is_said(server, store, monkeypatch, tmp_path):
    (tmp_path / "kaggle.py").write_text("raise ImportError('none')")
    monkeypatch.syspath_prepend(tmp_path)
    assert "the package kaggle cannot be imported; install it" in failure(store)


# --- what comes, and what does not


@pytest.mark.parametrize("offset", [0, 29, 100_000, 500_000, len(ZIP) - 1])
def test_a_download_that_is_cut_goes_on_where_it_was(server, store, offset):
    server.cuts = [offset]
    heard = []
    assert len(list(fetch(store, report=lambda *bytes_: heard.append(bytes_)).entries())) == 2
    assert kept(store) == [ZIP]
    assert heard[-1] == (len(ZIP), len(ZIP))
    assert unfinished(store) == []
    here = offset // CHUNK_BYTES * CHUNK_BYTES
    last = server.downloads()[-1]
    assert (last.headers.get("Range"), last.sent) == (f"bytes={here}-" if here else None, len(ZIP) - here)


def test_a_download_may_be_cut_more_often_than_it_is_tried_in_vain(server, store):
    # To go on, the client first asks for all of it, and leaves that for the rest.
    server.cuts = [0, 100_000, None, 200_000, None, 400_000, None, 600_000, None, len(ZIP) - 1]
    fetch(store)
    assert server.cuts == []
    assert kept(store) == [ZIP]


def test_a_download_that_is_always_cut_is_given_up_and_the_next_run_goes_on(server, store):
    server.datasets["alice/music"].etag = server.datasets["alice/music"].last_modified = None
    server.cuts = [300_000] * 9
    said = failure(store)
    assert "the connection to Kaggle failed or was cut; run the same command again" in said
    assert len(server.downloads()) == 4  # the first, and one after each wait, none of which brought more
    server.cuts = []
    fetch(store)
    assert kept(store) == [ZIP]


def test_a_download_that_falls_silent_is_cut_and_the_next_run_goes_on(server, store, monkeypatch):
    monkeypatch.setattr(kaggle_source, "WAITS_SECONDS", ())
    server.cuts, server.silent = [300_000], True
    assert "the download continues after 262,144 bytes" in failure(store)
    assert [path.name for path in sorted(unfinished(store))] == ["music.zip", "music.zip.kaggle-partial"]
    server.cuts = []
    fetch(store)
    assert server.downloads()[-1].headers["Range"] == "bytes=262144-"
    assert kept(store) == [ZIP]
    assert unfinished(store) == []


def test_the_page_of_an_error_is_not_taken_for_the_rest(server, store):
    page = Answer(503, b"<html>try later</html>", "text/html")
    server.cuts, server.storage = [300_000], [None, None, page, page]
    fetch(store)
    assert kept(store) == [ZIP]
    assert "Range" not in server.downloads()[-1].headers


def test_the_beginning_of_another_version_is_not_gone_on_with(server, store, monkeypatch):
    monkeypatch.setattr(kaggle_source, "WAITS_SECONDS", ())
    server.cuts = [300_000]
    failure(store)
    server.cuts = []
    server.datasets["alice/music"] = Dataset(OTHER_ZIP, etag='"2"')
    fetch(store)
    assert kept(store) == [OTHER_ZIP]


def test_an_api_that_falls_silent_is_not_waited_for_for_ever(server, store, monkeypatch):
    monkeypatch.setattr(kaggle_source, "WAITS_SECONDS", ())
    server.api.append(Answer(0))
    assert (
        "the connection to Kaggle failed or was cut; run the same command again later: nothing was downloaded yet"
        in failure(store)
    )


def test_a_damaged_zip_of_the_right_size_is_deleted_and_said(server, store):
    place = ZIP.index(b"prelude")
    server.datasets["alice/music"].data = ZIP[:place] + b"?" + ZIP[place + 1 :]
    said = failure(store)
    assert "the download was not an intact zip (chopin/op28.mid cannot be unpacked: Bad CRC-32" in said
    assert "was deleted; run again" in said
    assert unfinished(store) == []
    server.datasets["alice/music"].data = ZIP
    fetch(store)
    assert kept(store) == [ZIP]


@pytest.mark.parametrize(
    "data", [b"", b"<html>please log in</html>", ZIP[:-30], ZIP[100:]], ids=["", "page", "end", "begin"]
)
def test_what_is_no_zip_is_deleted_and_said(server, store, data):
    server.datasets["alice/music"].data = data
    assert "the download was not an intact zip (" in failure(store)
    assert unfinished(store) == []
    assert list(store.refs()) == []


# --- hostile zips


def test_a_hostile_zip_does_no_harm(server, store, tmp_path):
    members = [
        ("../../up.mid", b"a"),
        ("/etc/abs.mid", b"b"),
        ("twice.mid", b"first"),
        ("twice.mid", b"second"),
        ("bomb.mid", bytes(30 << 20)),
        ("bomb.csv", bytes(30 << 20)),
    ]
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(store.root)}
    server.datasets["alice/music"].data = zip_bytes(members)
    bomb, *found = sorted(fetch(store).entries(), key=lambda entry: entry.name == "bomb.mid", reverse=True)
    assert bomb.reason.startswith("unpacks to more than")
    assert [entry.name for entry in found] == ["bomb.csv", "etc/abs.mid", "twice.mid", "twice.mid", "up.mid"]
    assert [entry.data for entry in found[1:]] == [b"b", b"first", b"second", b"a"]
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(store.root)} == before


# --- what is there already


def test_a_dataset_that_did_not_change_does_not_come_again(server, store):
    fetch(store)
    first = list(store.refs())
    assert len(list(fetch(store).entries())) == 2
    assert list(store.refs()) == first
    again = server.downloads()[1:]
    assert len(again) == 1
    assert again[0].sent < len(ZIP) // 2  # what lay in the buffers when the client saw the version and left


def test_a_dataset_that_changed_comes_again_and_the_one_before_stays(server, store):
    fetch(store)
    server.datasets["alice/music"] = Dataset(OTHER_ZIP, etag='"2"')
    assert [entry.name for entry in fetch(store).entries()] == ["bach/847.mid"]
    assert sorted(kept(store), key=len) == [OTHER_ZIP, ZIP]
    assert server.downloads()[-1].sent == len(OTHER_ZIP)
    server.datasets["alice/music"] = Dataset(ZIP)
    fetch(store)
    assert server.downloads()[-1].sent < len(ZIP) // 2


def test_a_date_tells_the_version_where_there_is_no_tag(server, store):
    server.datasets["alice/music"].etag = None
    fetch(store)
    fetch(store)
    assert server.downloads()[-1].sent < len(ZIP) // 2
    server.datasets["alice/music"].last_modified = "Tue, 03 Nov 2026 10:00:00 GMT"
    fetch(store)
    assert server.downloads()[-1].sent == len(ZIP)


def test_where_nothing_tells_the_version_the_bytes_do(server, store):
    server.datasets["alice/music"].etag = server.datasets["alice/music"].last_modified = None
    for _ in range(2):
        fetch(store)
        assert server.downloads()[-1].sent == len(ZIP)
    assert kept(store) == [ZIP]


def test_two_runs_at_once_download_once(server, store):
    threads = [threading.Thread(target=fetch, args=(store,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept(store) == [ZIP]
    first, second = sorted(asked.sent for asked in server.downloads())
    assert (first < len(ZIP) // 2, second) == (True, len(ZIP))


# --- the disk


def test_a_full_disk_is_said_at_once(server, store):
    partial = store.root / "unfinished" / "kaggle" / "alice" / "music.zip"
    partial.parent.mkdir(parents=True)
    partial.symlink_to("/dev/full")
    assert "No space left on device; give the storage a writable folder with free space" in failure(store, StorageError)
    assert len(server.downloads()) == 1


def test_a_dataset_that_cannot_fit_is_not_begun(server, store):
    server.datasets["alice/music"].length = 10**18
    said = failure(store, StorageError)
    assert "1,000,000,000,000,000,000 bytes more, and the disk has" in said
    assert "--storage" in said
    assert unfinished(store) == []


# --- names


@pytest.mark.parametrize(
    "text",
    [
        "kaggle:",
        "kaggle:foo",
        "kaggle:a/b/c",
        "kaggle:/b",
        "kaggle:a/",
        "kaggle:../b",
        "kaggle:a/..",
        "kaggle:a/b?c",
        "kaggle:ä/b",
    ],
)
def test_what_is_no_name_of_a_dataset_is_said_before_anybody_is_asked(text):
    with pytest.raises(SourceError, match=r"expected kaggle:OWNER/NAME, .*, got "):
        Kaggle(text)
