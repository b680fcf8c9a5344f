"""A run of the whole pipeline that has come to its end: made once, however many processes the tests run in."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from program import COMMAND, Program
from tiny_music import write_pieces, write_recipe

from lstm_music.store import Store, locks


@dataclass(frozen=True)
class Result:
    """What a command left on a user's terminal."""

    code: int
    out: str
    errors: str

    @property
    def sentence(self) -> str:
        """The one sentence that a mistake is answered with: the only line of standard error."""
        (line,) = self.errors.splitlines()
        return line


@dataclass(frozen=True)
class Tiny:
    """The tiny recipe, its music, and a storage in which a run of it has come to its end."""

    recipe: Path
    music: Path
    storage: Path
    result: Result

    @property
    def arguments(self) -> tuple[str, ...]:
        """What says the recipe and its music on the command line."""
        return "--recipe", str(self.recipe), "--source", str(self.music)

    def copy(self, folder: Path, *without: str) -> Path:
        """Copy the storage, so that a test may change it, but for some artifacts: a kind, or the name of a model."""
        copied = folder / "storage"
        shutil.copytree(self.storage, copied, symlinks=True)
        for artifact in list(Store(copied).artifacts()):
            if {artifact.ref.kind, artifact.manifest["spec"].get("name")} & {*without}:
                shutil.rmtree(artifact.folder)
        return copied


def made_once(folder: Path) -> Tiny:
    """Run the pipeline in a folder, with threads and a temporary server, unless that was done; who comes second waits."""
    folder.mkdir(exist_ok=True)
    said = folder / "result.json"
    with locks.exclusive(folder / "lock"):
        recipe, music, storage = write_recipe(folder), folder / "music", folder / "storage"
        if not said.exists():
            arguments = [
                "--recipe",
                recipe,
                "--source",
                write_pieces(music),
                "--storage",
                storage,
                "--runner",
                "threads",
            ]
            program = Program(folder / "home", [COMMAND, "run", *map(str, arguments), "--json"])
            out = program.finish()
            said.write_text(json.dumps(asdict(Result(program.process.returncode, out, program.errors))))
    result = Result(**json.loads(said.read_text()))
    assert result.code == 0, result.errors
    return Tiny(recipe, music, storage, result)
