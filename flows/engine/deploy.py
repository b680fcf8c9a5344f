"""Deploy what prefect.yaml and automations.yaml define, to the server of Prefect's settings: `python -m flows.engine.deploy`.

You may run it again at any time: it updates what exists and adds nothing twice. Flows run in the folder that you call it from.
LSTM_MUSIC_STORAGE and LSTM_MUSIC_INBOX are the storage and the inbox of the deployments, if they are set.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists

from flows.engine.own_packages import require_own_packages
from lstm_music.errors import LstmMusicError

POOL = "lstm-music"
_HERE = Path(__file__).parent
_FOLDER = _HERE if (_HERE / "prefect.yaml").exists() else _HERE.parents[1]
"""A wheel has the two files beside this one; a checkout has them at its top."""

DEPLOYMENTS = _FOLDER / "prefect.yaml"
AUTOMATIONS = _FOLDER / "automations.yaml"
VARIABLES = {"storage": "LSTM_MUSIC_STORAGE", "inbox": "LSTM_MUSIC_INBOX"}
"""Parameter of deployments → the variable that sets it."""

WITH_INBOX = frozenset({"watch", "retrain"})


def main() -> None:
    """Make the pool, the deployments and the automations; one sentence and an error's code where that fails."""
    try:
        require_own_packages(Path.cwd())
    except LstmMusicError as error:
        sys.stderr.write(f"deploy: {error}\n")
        sys.exit(error.exit_code)
    with get_client(sync_client=True) as client:
        _make_pool(client)
        _make_automations(client)
    with tempfile.TemporaryDirectory(prefix="lstm-music-") as folder:
        file = _deployments(os.environ, Path(folder))
        command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603  our own
    if done.returncode:
        sys.stderr.write(done.stdout)
    sys.exit(done.returncode)


def _deployments(environment: Mapping[str, str], folder: Path) -> Path:
    """Give the file of the deployments: with the parameters that the environment sets, it is a copy in `folder`."""
    values = {name: environment[variable] for name, variable in VARIABLES.items() if environment.get(variable)}
    if not values:
        return DEPLOYMENTS
    content = yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))
    for deployment in content["deployments"]:
        own = values if deployment["name"] in WITH_INBOX else {key: values[key] for key in values if key != "inbox"}
        deployment["parameters"] = {**deployment.get("parameters", {}), **own}
    copy = folder / DEPLOYMENTS.name
    copy.write_text(yaml.safe_dump(content), encoding="utf-8")
    return copy


def _make_pool(client: SyncPrefectClient) -> None:
    """Make the pool of processes; a pool of this name that exists stays, whatever its kind."""
    try:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    except ObjectAlreadyExists:
        return


def _make_automations(client: SyncPrefectClient) -> None:
    """Make the automations whose names are new, and remove those of earlier versions; one that you have changed stays."""
    wanted = yaml.safe_load(AUTOMATIONS.read_text(encoding="utf-8"))
    there = {found["name"]: found["id"] for found in client.request("POST", "/automations/filter", json={}).json()}
    for automation in map(AutomationCore.model_validate, wanted["automations"]):
        if automation.name not in there:
            client.request("POST", "/automations/", json=automation.model_dump(mode="json"))
    for name in there.keys() & set(wanted["replaced"]):
        client.request("DELETE", "/automations/{id}", path_params={"id": there[name]})


if __name__ == "__main__":
    main()
