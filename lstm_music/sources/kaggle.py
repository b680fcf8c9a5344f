"""A dataset on Kaggle as a source: downloaded when it has changed, kept as an artifact, and read as a zip.

Kaggle's package runs in a child process: it prints, creates folders, raises `SystemExit`, and needs credentials that no
other process should hold.
"""

import re
from collections.abc import Iterator
from typing import Any

from lstm_music.child import run_child
from lstm_music.credentials import own_credentials
from lstm_music.errors import SourceError
from lstm_music.sources.archive import Archive
from lstm_music.sources.entry import Credit, Entry, Report, Source, credit_of_path
from lstm_music.store import ArtifactRef, Store

DEFAULT_DATASET = "soumikrakshit/classical-music-midi"
WAITS_SECONDS = (1.0, 2.0, 4.0)  # before each new attempt
SILENCE_SECONDS = 60.0  # without a byte, after which the connection counts as cut

_WORD = "kaggle"
_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def is_kaggle(text: str) -> bool:
    """Whether a `--source` names Kaggle."""
    return text == _WORD or text.startswith(f"{_WORD}:")


class Kaggle:
    """A dataset on Kaggle by its name; no request is made before `fetch`."""

    def __init__(self, text: str) -> None:
        self.title = text
        self.dataset = DEFAULT_DATASET if text == _WORD else text.removeprefix(f"{_WORD}:")
        if not _DATASET.fullmatch(self.dataset):
            raise SourceError(
                f"source: expected kaggle:OWNER/NAME, the last two parts of the dataset's address such as "
                f"kaggle:{DEFAULT_DATASET}, got {text!r}",
            )

    def fetch(self, store: Store, report: Report) -> Source:
        """Download the dataset unless the store has its present version, and open it.

        `report` gets (bytes downloaded, bytes in all). Raises SourceError if there is no such dataset, no right to read it
        or no connection, and StorageError if the disk is full.
        """

        def listen(message: dict[str, Any]) -> None:
            report(message["done"], message["all"])

        request = {
            "storage": store.where,
            "title": self.title,
            "dataset": self.dataset,
            "waits_seconds": WAITS_SECONDS,
            "silence_seconds": SILENCE_SECONDS,
        }
        found = run_child(
            "lstm_music.sources.kaggle_child:fetch", request, on_message=listen, environment=own_credentials()
        )
        return _Downloaded(self.title, self.dataset, store, ArtifactRef(**found))


class _Downloaded:
    """A dataset in the store."""

    def __init__(self, title: str, dataset: str, store: Store, ref: ArtifactRef) -> None:
        self.title = title
        self._dataset = dataset
        self._archive = Archive(str(store.open(ref).file("dataset")))

    def entries(self) -> Iterator[Entry]:
        """Yield every file of the zip, sorted by name."""
        return self._archive.entries()

    def describe(self, name: str) -> Credit:
        """Give the credit: the composer is the folder of the file, the licence is on the dataset's page."""
        credit = credit_of_path(name, f"Kaggle dataset {self._dataset}")
        return Credit(credit.composer, credit.source, f"as stated on the page of {self._dataset} on Kaggle")
