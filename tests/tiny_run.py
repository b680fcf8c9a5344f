"""A complete run of the pipeline, made once, however many processes the tests use."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from program import COMMAND, Program
from tiny_music import write_pieces, write_recipe

from lstm_music.store import Store, locks


@dataclass(frozen=True)
class Result:
    """The exit code and the output of a command."""

    code: int
    out: str
    errors: str

    @property
    def sentence(self) -> str:
        """The error sentence for a user's mistake: the only line of standard error."""
        (line,) = self.errors.splitlines()
        return line


@dataclass(frozen=True)
class Tiny:
    """The tiny recipe, its music, and the storage of a complete run."""

    recipe: Path
    music: Path
    storage: Path
    result: Result

    @property
    def arguments(self) -> tuple[str, ...]:
        """The options for the recipe and its music on the command line."""
        return "--recipe", str(self.recipe), "--source", str(self.music)

    def copy(self, folder: Path, *without: str) -> Path:
        """Copy the storage for a test that changes it; leave out artifacts of some kinds, or models of some names."""
        copied = folder / "storage"
        shutil.copytree(self.storage, copied, symlinks=True)
        for artifact in list(Store(copied).artifacts()):
            if {artifact.ref.kind, artifact.manifest["spec"].get("name")} & {*without}:
                shutil.rmtree(artifact.folder)
        return copied


def made_once(folder: Path) -> Tiny:
    """Run the pipeline once in a folder, with threads and a temporary server; a second caller waits for the first."""
    folder.mkdir(exist_ok=True)
    done = folder / "result.json"
    with locks.exclusive(folder / "lock"):
        recipe, music, storage = write_recipe(folder), folder / "music", folder / "storage"
        if not done.exists():
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
            done.write_text(json.dumps(asdict(Result(program.process.returncode, out, program.errors))))
    result = Result(**json.loads(done.read_text()))
    assert result.code == 0, result.errors
    return Tiny(recipe, music, storage, result)
