"""A generation has one name that people can read, kept for good, and `latest` leads to the one asked for last."""

import json
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lstm_music.stages.music.generation import describe_generation
from lstm_music.stages.music.index import write_index
from lstm_music.stages.music.names import KIND, name_generation, named_folder, read_names, short_recipe
from lstm_music.store import Stage, Store

FIRST = re.compile(r"\d{4}-\d\d-\d\d_demo_1")
FIGURES = {"events": 64, "prompt_piece": "", "longest_copy": 0, "loops_left": 0, "penalty": 0.0}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


def generation(store, number, recipe="demo", **facts):
    """Write what a generation is known by; give its reference."""
    stage = Stage(KIND, 4, {"number": number, "recipe": recipe}, plain_names=True)
    with store.write(stage) as writer:
        writer.file("index", "html").write_text(f"page {number}")
        writer.file("result_001", "ogg").write_bytes(b"OggS")
        said = {
            "recipe": recipe,
            "random_seed": number,
            "results": [FIGURES],
            "command": "lstm-music generate",
            "command_for_more": "lstm-music generate --random-seed 2",
            "warnings": [],
        }
        writer.facts.update(said | facts)
    return stage.ref


def links(store):
    return {path.name: str(path.readlink()) for path in (store.root / KIND).iterdir() if path.is_symlink()}


def test_each_generation_has_a_name_that_stays_and_latest_is_the_one_asked_for_last(store):
    first, second = generation(store, 1), generation(store, 2)
    name_generation(store, first)
    name_generation(store, second)
    names = read_names(store)
    assert FIRST.fullmatch(names.of(first))
    assert names.of(second) == names.of(first)[:-1] + "2"
    assert links(store) == {names.of(first): first.key, names.of(second): second.key, "latest": second.key}
    name_generation(store, first)
    assert read_names(store).key_of == names.key_of
    assert links(store) == {names.of(first): first.key, names.of(second): second.key, "latest": first.key}
    assert (store.root / KIND / "latest" / "index.html").read_text() == "page 1"
    assert store.verify().bad == []
    assert list(store.refs()) == sorted([first, second])


def test_generations_of_a_storage_without_names_get_theirs_in_the_order_of_their_making(store):
    refs = [generation(store, number) for number in range(11)]
    name_generation(store, refs[0])
    assert [read_names(store).of(ref).rpartition("_")[2] for ref in refs] == [str(number) for number in range(1, 12)]


def test_every_recipe_counts_for_itself_and_a_path_is_shortened(store):
    ref = generation(store, 1, "/somewhere/my own: recipe.toml")
    name_generation(store, generation(store, 2))
    name_generation(store, ref)
    assert read_names(store).of(ref).endswith("_my-own-recipe_1")
    assert short_recipe("../a/b.toml") == "b"
    assert "/" not in short_recipe("../a/b")


def test_a_name_outlives_its_generation_and_is_no_link_meanwhile(store):
    first, second = generation(store, 1), generation(store, 2)
    name_generation(store, first)
    name_generation(store, second)
    name = read_names(store).of(first)
    shutil.rmtree(store.root / KIND / first.key)
    name_generation(store, second)
    assert name not in links(store)
    assert named_folder(store, first) is None
    name_generation(store, generation(store, 1))
    assert read_names(store).of(first) == name
    assert links(store)[name] == first.key


def test_damaged_names_are_given_again(store):
    first, second = generation(store, 1), generation(store, 2)
    name_generation(store, second)
    kept = read_names(store)
    for damaged in (b"", b"{}", (store.root / KIND / "names.json").read_bytes().replace(b"demo_1", b"demo_7")):
        (store.root / KIND / "names.json").write_bytes(damaged)
        assert read_names(store).key_of == {}
        name_generation(store, second)
        assert read_names(store) == kept
    assert named_folder(store, first) is not None


def test_a_damaged_generation_does_not_keep_others_from_their_names(store):
    bad, good = generation(store, 1), generation(store, 2)
    (store.root / KIND / bad.key / "manifest.json").write_text("{}")
    name_generation(store, good)
    assert FIRST.fullmatch(read_names(store).of(good))
    assert read_names(store).of(bad) is None


def test_two_that_are_named_at_once_have_names_of_their_own(store):
    refs = [generation(store, number) for number in range(8)]
    barrier = threading.Barrier(8)

    def work(ref):
        barrier.wait()
        name_generation(Store(store.root), ref)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, refs))
    names = read_names(store)
    assert sorted(names.key_of.values()) == sorted(ref.key for ref in refs)
    assert links(store) == {**names.key_of, "latest": names.latest}


def test_what_a_command_reports_is_the_path_with_the_name(store, tmp_path):
    ref = generation(store, 1)
    assert describe_generation(store, ref)["directory"] == str(store.root / KIND / ref.key)
    name_generation(store, ref)
    said = describe_generation(store, ref)
    assert FIRST.fullmatch(said["name"])
    assert said["directory"] == str(store.root / KIND / said["name"])
    assert said["page"] == f"{said['directory']}/index.html"
    assert said["outputs"][0]["audio"] == f"{said['directory']}/result_001.ogg"
    followed = Store(shutil.copytree(store.root, tmp_path / "copied by a tool that follows links"))
    assert describe_generation(followed, ref)["directory"] == str(followed.root / KIND / ref.key)
    name_generation(followed, generation(followed, 2))
    assert (followed.root / KIND / "latest" / "index.html").read_text() == "page 1"  # a folder of the user's by now


def test_the_index_leads_to_names_newest_first_and_plays_what_is_there(store):
    made = generation(store, 1, settings=["64 events", "random seed 1"], thumbnails=["M0 0h9"])
    older = generation(store, 2)
    name_generation(store, made)
    page = write_index(store).read_text()
    names = read_names(store)
    assert page.index(f'href="{names.of(older)}/index.html"') < page.index(f'href="{names.of(made)}/index.html"')
    assert '<path d="M0 0h9"/>' in page
    assert "64 events, random seed 1" in page
    assert f'src="{names.of(made)}/result_001.ogg"' in page
    assert store.verify().bad == []
    before = (store.root / KIND / "index.html").stat().st_mtime_ns
    write_index(store)
    assert (store.root / KIND / "index.html").stat().st_mtime_ns == before


def test_in_a_bucket_names_are_kept_and_keys_are_linked_to(s3, machine):
    store = Store(s3.new_bucket())
    ref = generation(store, 1)
    name_generation(store, ref)
    name = read_names(store).of(ref)
    assert FIRST.fullmatch(name)
    machine("second")
    assert read_names(Store(store.where)).of(ref) == name
    page = write_index(store).read_text()
    assert f'href="{ref.key}/index.html"' in page
    assert name in page
    kept = json.loads(s3.contents(store.where)[f"{KIND}/names.json"])
    assert (kept["names"], kept["latest"]) == ({name: ref.key}, ref.key)
    said = describe_generation(store, ref)
    assert (said["name"], said["directory"]) == (name, str(store.root / KIND / ref.key))
