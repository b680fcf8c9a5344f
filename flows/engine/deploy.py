"""Deploy all that prefect.yaml and automations.yaml say to the server of Prefect's settings: `python -m flows.engine.deploy`.

It may be run again at any time: what is there is brought up to date, and nothing is there twice. Flows run in the folder that
it is called from.
"""

import subprocess
import sys
from pathlib import Path

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists

ROOT = Path(__file__).parents[2]
POOL = "lstm-music"
DEPLOYMENTS = ROOT / "prefect.yaml"
AUTOMATIONS = ROOT / "automations.yaml"


def main() -> None:
    """Make the pool, the deployments and the automations."""
    with get_client(sync_client=True) as client:
        _make_pool(client)
        _make_automations(client)
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(DEPLOYMENTS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603  our own
    if done.returncode:
        sys.stderr.write(done.stdout)
    sys.exit(done.returncode)


def _make_pool(client: SyncPrefectClient) -> None:
    """Make the pool of processes, unless there is a pool of this name, of whatever kind."""
    try:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    except ObjectAlreadyExists:
        return


def _make_automations(client: SyncPrefectClient) -> None:
    """Make the automations that are not there yet by their names; one that a person has changed stays as it is."""
    wanted = yaml.safe_load(AUTOMATIONS.read_text(encoding="utf-8"))["automations"]
    there = {found["name"] for found in client.request("POST", "/automations/filter", json={}).json()}
    for automation in (AutomationCore.model_validate(entry) for entry in wanted if entry["name"] not in there):
        client.request("POST", "/automations/", json=automation.model_dump(mode="json"))


if __name__ == "__main__":
    main()
