"""What `lstm-music doctor` does: a line per check, and an error if one finds a problem."""

import os
from dataclasses import asdict
from pathlib import Path

from flows.cli.display import Display
from flows.cli.words import counted
from flows.engine.server import configured
from lstm_music.doctor import examine
from lstm_music.errors import LstmMusicError


def doctor(display: Display, storage: str, soundfont: Path | None, full: bool) -> None:
    """Check this machine and the storage; LstmMusicError if a check finds a problem."""
    server, credentials = (configured(os.environ, name) for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING"))
    findings = []
    for found in examine(storage, soundfont, server, credentials, full=full):
        findings.append(found)
        display.log(f"{found.level:8} {found.check}: {found.text}" + (f" → {found.advice}" if found.advice else ""))
    problems = [found.check for found in findings if found.level == "problem"]
    display.result({"usable": not problems, "checks": [asdict(found) for found in findings]})
    if problems:
        raise LstmMusicError(
            f"{counted(len(problems), 'problem')}: {', '.join(problems)}; follow the advice of each line above"
        )
