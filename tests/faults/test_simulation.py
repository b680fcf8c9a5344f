"""A simulation of workers on one storage: learning, promotion, rollback, pruning, forgetting, stops and interleavings by chance.

Only training and scoring are replaced, by numbers; all else is the real library on a real storage. hypothesis draws the actions,
shrinks a failure, and prints what replays it. Thirty simulations, always the same, run with the other tests;
`LSTM_MUSIC_SIMULATIONS=500` runs as many, and others each time.
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tiny_music import piece

from lstm_music.encoding.splits import VALIDATION
from lstm_music.errors import MissingArtifactError, NotEnoughMusicError, StorageInUseError
from lstm_music.recipe import Recipe, parse_recipe
from lstm_music.stages.current import Promoted, PromotedMeanwhileError, promoted_models
from lstm_music.stages.data.ingest import ingest, read_inputs
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training import promotion
from lstm_music.stages.training.scorecard import scorecard_stage
from lstm_music.stages.training.trained import model_stages
from lstm_music.stages.upkeep.forgetting import forget, plan_forgetting
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.stages.upkeep.pruning import plan_pruning, prune
from lstm_music.stages.upkeep.survey import Limits
from lstm_music.store import ArtifactRef, Store, locks

pytestmark = pytest.mark.slow

SIMULATIONS = int(os.environ.get("LSTM_MUSIC_SIMULATIONS", "30"))
LATER = 4e9  # seconds since 1970: everything is old enough to go
RECIPES = ("alto", "bass")
FIRST_PIECES = 5


class StoppedError(BaseException):
    """A process ends here, as by a kill; no `except Exception` sees it."""


class Meanwhile:
    """Something that happens at the k-th access to the storage from now on, once: a stop, or an action of another worker."""

    def __init__(self) -> None:
        self.left, self.act, self.locks = 0, None, 0

    def plan(self, at: int, act: Callable[[], None] | None) -> None:
        self.left, self.act = at, act

    def step(self) -> None:
        if self.act is None or self.locks:  # whoever meets a lock waits for its holder, which is this very thread
            return
        self.left -= 1
        if self.left <= 0:
            act, self.act = self.act, None
            DONE["meanwhile"] += 1
            act()


MEANWHILE = Meanwhile()
DONE: Counter[str] = Counter()
"""How often what was simulated really happened."""


def stop() -> None:
    raise StoppedError


@pytest.fixture
def simulated(monkeypatch):
    """Let the storage's accesses be steps of the simulation, and replace scores by numbers."""
    for name in ("open", "write", "change_current", "remove", "put_blob", "get_blob"):
        real = getattr(Store, name)

        def step(self, *arguments, _real=real, **options):
            MEANWHILE.step()
            return _real(self, *arguments, **options)

        monkeypatch.setattr(Store, name, step)
    exclusive = locks.exclusive

    @contextmanager
    def counted(path):
        MEANWHILE.locks += 1
        try:
            with exclusive(path):
                yield
        finally:
            MEANWHILE.locks -= 1

    monkeypatch.setattr(locks, "exclusive", counted)
    monkeypatch.setattr(promotion, "nats_of_pieces", nats_of_pieces)
    monkeypatch.setattr(
        promotion, "read_card", lambda store, ref: json.loads(store.open(ref).file("card").read_text(encoding="utf-8"))
    )


def nats_of_pieces(store, dataset, models, fresh, first):
    lengths = np.array(fresh.targets(VALIDATION, first).lengths, float)
    return lengths * sum(store.open(ref).facts["held_out_nll"] for ref in models.values())


def recipe_of(name: str, seed: int) -> Recipe:
    return parse_recipe(
        {
            "name": name,
            "random_seed": seed,
            "events": {"quarter_length_divisors": [4]},
            "split": {"validation": 0.3, "test": 0.2},
            "windows": {"length": 8},
        },
        "simulation",
    )


def publish(store: Store, recipe: Recipe, dataset: ArtifactRef) -> Promoted:
    """Write models and a score card as trainings and `evaluate` would, with a quality that follows from the random seed."""
    nll = 1.0 + recipe.random_seed / 10
    models = {}
    for name, stage in model_stages(recipe, dataset).items():
        models[name] = stage.ref
        if not store.has(stage.ref):
            with store.write(stage) as writer:
                writer.file("model", "weights.h5").write_bytes(f"{name} {nll}".encode())
                writer.file("history", "json").write_text("[]")
                writer.facts.update(held_out_nll=nll, leaky=False, vocabularies={})
    stage = scorecard_stage(recipe, dataset, models)
    if not store.has(stage.ref):
        with store.write(stage) as writer:
            streams = {name: {"nll": nll} for name in models}
            writer.file("card", "json").write_text(json.dumps({"splits": {"validation": {"streams": streams}}}))
            writer.facts.update(protocol="by piece", nll_per_event={"validation": nll})
    return Promoted(dataset, models, stage.ref)


class Workers(RuleBasedStateMachine):
    """Actions of workers on one storage; each may be stopped, or another may come between, at any access."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="simulation-"))
        self.store = Store(self.folder / "storage")
        self.pieces, self.forgotten = 0, set()
        for _ in range(FIRST_PIECES):
            self.drop()

    def teardown(self) -> None:
        MEANWHILE.plan(0, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def drop(self) -> None:
        path = self.folder / "music" / f"composer {self.pieces % 2}" / f"piece {self.pieces:03d}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(piece(self.pieces, 24))
        self.pieces += 1

    def learn(self, name: str, seed: int) -> None:
        store, recipe = Store(self.store.where), recipe_of(name, seed)
        with store.session():
            inputs = ingest(store, recipe, str(self.folder / "music"))
            rows = read_inputs(store, inputs)
            assert len(rows) + len(self.forgotten) in {self.pieces, self.pieces - 1}  # one may be dropped meanwhile
            dataset = prepare(store, recipe, inputs).dataset
            DONE[promotion.promote(store, recipe, publish(store, recipe, dataset)).outcome] += 1

    def go_back(self, name: str) -> None:
        store = Store(self.store.where)
        with suppress(MissingArtifactError, PromotedMeanwhileError):
            promotion.rollback(store, name)
            DONE["rolled back"] += 1
            promotion.rollback_is_told(store, name)

    def tidy(self, history: int) -> None:
        store = Store(self.store.where)
        if store.is_begun():
            with suppress(StorageInUseError), store.alone():
                planned = plan_pruning(store, Limits(keep_history=history, older_than_days=0.0), None, LATER)
                prune(store, planned)
                DONE["pruned"] += len(planned.items)

    def forget_one(self, number: int) -> None:
        store = Store(self.store.where)
        names = [name for name in RECIPES if (store.current(name) or {}).get("prepared")] if store.is_begun() else []
        if not names or self.pieces - len(self.forgotten) <= FIRST_PIECES - 1:
            return
        rows = read_inputs(store, ArtifactRef("inputs", store.current(names[0])["prepared"]["inputs"]))
        known = [row for row in rows if row.piece_id not in self.forgotten]
        row = known[number % len(known)]
        with suppress(StorageInUseError), store.alone():
            self.forgotten.add(
                row.piece_id
            )  # whatever happens from now on, it is on the list or the command is given again
            forget(store, plan_forgetting(store, {row.piece_id: row.name}))
            DONE["forgotten"] += 1

    def run(self, action: Callable[[], None], disturbance: tuple[str, int, int]) -> None:
        """Run an action, with a stop or another worker's action in the middle; a stopped one is given again."""
        what, at, number = disturbance
        others = {
            "nothing": None,
            "stop": stop,
            "drop": self.drop,
            "learn": lambda: self.learn(RECIPES[number % 2], number),
            "rollback": lambda: self.go_back(RECIPES[number % 2]),
            "prune": lambda: self.tidy(number % 2),
        }
        MEANWHILE.plan(at, others[what])
        try:
            action()
        except StoppedError:
            DONE["stopped"] += 1
            self.is_whole()
            action()
        finally:
            MEANWHILE.plan(0, None)

    disturbances = st.tuples(
        st.sampled_from(["nothing", "stop", "drop", "learn", "rollback", "prune"]),
        st.integers(1, 60),
        st.integers(0, 5),
    )

    @rule()
    def new_music(self) -> None:
        self.drop()

    @rule(name=st.sampled_from(RECIPES), seed=st.integers(0, 5), disturbance=disturbances)
    def learning(self, name, seed, disturbance) -> None:
        with suppress(NotEnoughMusicError):
            self.run(lambda: self.learn(name, seed), disturbance)

    @rule(name=st.sampled_from(RECIPES), disturbance=disturbances)
    def rolling_back(self, name, disturbance) -> None:
        self.run(lambda: self.go_back(name), disturbance)

    @rule(history=st.integers(0, 1), at=st.integers(0, 60))
    def pruning(self, history, at) -> None:
        self.run(lambda: self.tidy(history), ("stop" if at else "nothing", at, 0))

    @rule(number=st.integers(0, 100), at=st.integers(0, 60))
    def forgetting(self, number, at) -> None:
        before = set(self.forgotten)
        try:
            self.run(lambda: self.forget_one(number), ("stop" if at else "nothing", at, 0))
        finally:
            for piece_id in self.forgotten - before:  # a stopped one is finished, as its user would
                with self.store.alone():
                    forget(self.store, plan_forgetting(self.store, {piece_id: "piece"}))

    @invariant()
    def is_whole(self) -> None:
        """Nothing that is promoted, prepared or remembered is ever missing, and no file is damaged."""
        if not hasattr(self, "store") or not self.store.is_begun():
            return
        act, MEANWHILE.act = MEANWHILE.act, None
        assert find_missing(self.store) == []
        assert self.store.verify().bad == []
        for name in RECIPES:
            current = promoted_models(self.store, name)
            assert current is None or all(
                map(self.store.has, [current.dataset, current.scorecard, *current.models.values()])
            )
        MEANWHILE.act = act

    @invariant()
    def nothing_forgotten_is_kept(self) -> None:
        """The bytes of a forgotten piece are nowhere."""
        if hasattr(self, "store"):
            kept = {path.name for path in (self.store.root / "blobs").glob("*/*")}
            assert not kept & self.forgotten


def test_workers_on_one_storage_never_lose_what_is_needed(simulated):
    DONE.clear()
    run_state_machine_as_test(
        Workers,
        settings=settings(
            max_examples=SIMULATIONS,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            derandomize=SIMULATIONS <= 30,
        ),
    )
    happened = {"promoted", "unchanged", "kept", "rolled back", "pruned", "forgotten", "stopped", "meanwhile"}
    assert SIMULATIONS < 10 or {what for what, count in DONE.items() if count} >= happened, DONE
