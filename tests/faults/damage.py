"""Damage to the files of a storage, by the thousand: `python tests/faults/damage.py STORAGE --trials N --random-seed S`.

Each trial changes one file of a copy of the storage: flips a bit, cuts its end off, exchanges two blocks, puts another file in
its place, or removes it. The next command or `verify` has to name the file, or what is missing; then the file is put back. A
last look has to find nothing. Links are left out, and what is no loss: names, pages, learning curves, and parsed batches,
which are made again.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

from lstm_music.errors import StorageError
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.store import Store

NOT_DATA = {"names.json", "index.html", "README.md"}
BLOCK = 64

Damage = Callable[[random.Random, bytes, bytes], bytes | None]
"""(random, the bytes of the file, those of another) → what it holds then; None removes it."""


def flip(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Flip a bit."""
    damaged = bytearray(data)
    damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def cut(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Cut the end off."""
    return data[: chance.randrange(len(data))]


def exchange(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Exchange two blocks."""
    size = min(BLOCK, len(data) // 2)
    first, second = (chance.randrange(len(data) // size) * size for _ in range(2))
    damaged = bytearray(data)
    damaged[first : first + size], damaged[second : second + size] = (
        data[second : second + size],
        data[first : first + size],
    )
    return bytes(damaged)


DAMAGES: dict[str, Damage] = {
    "a bit flipped": flip,
    "cut": cut,
    "two blocks exchanged": exchange,
    "another file in its place": lambda _chance, _data, other: other,
    "removed": lambda _chance, _data, _other: None,
}


def data_files(storage: Path) -> list[Path]:
    """List the files that hold data, sorted."""
    return [
        path
        for path in sorted(storage.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and path.stat().st_size > 1
        and path.name not in NOT_DATA
        and not any(part.startswith(".") for part in path.relative_to(storage).parts)
        and path.relative_to(storage).parts[0] not in {"curves", "inbox", "latest", "parsed"}
    ]


def is_noticed(store: Store, path: Path) -> bool:
    """Say whether a command would refuse the storage, or `verify` names the file, or something that is missing because of it."""
    try:
        store = Store(store.root)  # as the next command does
        store.recipes()
    except StorageError:
        return True
    return any(str(path).startswith(str(bad.path)) or str(bad.path) in str(path) for bad in store.verify().bad) or bool(
        find_missing(store)
    )


def main() -> None:
    """Run the trials and print a table; exit with 1 if any damage went unnoticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("storage", type=Path)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--random-seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.random_seed)
    tried: Counter[tuple[str, str]] = Counter()
    unnoticed = []
    with tempfile.TemporaryDirectory(prefix="damage-") as folder:
        storage = Path(folder) / "storage"
        shutil.copytree(asked.storage, storage, symlinks=True)
        store, files = Store(storage), data_files(storage)
        for _ in range(asked.trials):
            path, other, name = chance.choice(files), chance.choice(files), chance.choice(list(DAMAGES))
            data = path.read_bytes()
            damaged = DAMAGES[name](chance, data, other.read_bytes())
            if damaged == data or (damaged is None and path.name == "format.json"):  # which is written again
                continue
            path.unlink() if damaged is None else path.write_bytes(damaged)
            tried[path.relative_to(storage).parts[0], name] += 1
            if not is_noticed(store, path):
                unnoticed.append(f"{path.relative_to(storage)}: {name}")
            path.write_bytes(data)
        rest = [*store.verify().bad, *find_missing(store)]
    kinds = sorted({kind for kind, _ in tried})
    print(f"| in | {' | '.join(DAMAGES)} |\n|---|{'---|' * len(DAMAGES)}")
    for kind in kinds:
        print(f"| {kind} | {' | '.join(str(tried[kind, name]) for name in DAMAGES)} |")
    print(f"{tried.total():,} tried, {len(unnoticed)} unnoticed; {len(files)} files; {len(rest)} bad after the last")
    for line in unnoticed[:20]:
        print(line)
    sys.exit(1 if unnoticed or rest else 0)


if __name__ == "__main__":
    main()
