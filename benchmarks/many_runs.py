"""Measures how Prefect's server on PostgreSQL lists runs and fires schedules, before and after 100,000 finished runs.

PYTHONPATH=tests:tests/containers:tests/flows/engine python benchmarks/many_runs.py --folder FOLDER [--runs 100000]

It starts a private PostgreSQL (as root, with Debian's package postgresql) and what `make serve` starts, runs a flow once, and
copies the rows of that run by SQL: its states, task runs with their states, and log lines.
"""

import argparse
import asyncio
import statistics
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import served
from compose_here import Postgres, free_port
from served import Served
from tiny_music import write_pieces, write_recipe

TABLES = {
    "flow_run_state": "flow_run_id",
    "task_run": "flow_run_id",
    "task_run_state": "task_run_id",
    "log": "flow_run_id",
    "flow_run": "id",
}
"""Table → the column that leads to the run, or to a task run of it."""

OWN_IDS = {"id", "flow_run_id", "task_run_id", "state_id", "idempotency_key", "task_key", "dynamic_key"}
LISTS = {
    "runs, first page": ("/flow_runs/paginate", {"limit": 50, "sort": "START_TIME_DESC"}),
    "runs, page 1,000": ("/flow_runs/paginate", {"limit": 50, "page": 1000, "sort": "START_TIME_DESC"}),
    "number of runs": ("/flow_runs/count", {}),
    "failed runs": ("/flow_runs/paginate", {"limit": 50, "flow_runs": {"state": {"type": {"any_": ["FAILED"]}}}}),
    "number of task runs": ("/task_runs/count", {}),
    "deployments": ("/deployments/paginate", {"limit": 50}),
}
"""What the UI asks for its lists → path and body."""

ASKED = 15
PERIODS = 4


async def multiply(url: str, run: str, copies: int) -> None:
    """Copy the rows of a run; each copy ended some minutes before the one after it."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SET session_replication_role = replica"
    )  # the rows fit each other, so nothing checks them
    for table, key in TABLES.items():
        rows = await connection.fetch(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER'",
            table,
        )
        names = ", ".join(f'"{row["column_name"]}"' for row in rows)
        values = ", ".join(value_of(row["column_name"], row["data_type"]) for row in rows)
        mine = f"= '{run}'" if key != "task_run_id" else f"IN (SELECT id FROM task_run WHERE flow_run_id = '{run}')"
        source = f'"{table}" AS t, generate_series(1, {copies}) AS n WHERE t.{key} {mine}'
        done = await connection.execute(f'INSERT INTO "{table}" ({names}) SELECT {values} FROM {source}')
        print(f"{table}: {done.rpartition(' ')[2]} rows")
    await connection.execute("ANALYZE")
    await connection.close()


def value_of(column: str, kind: str) -> str:
    """Give the SQL of a column of a copy: other ids and times, else what the run has."""
    if column in OWN_IDS and kind == "uuid":
        return f'md5(t."{column}"::text || n)::uuid'
    if column in OWN_IDS:
        return f'md5(t."{column}"::text || n)'
    if kind.startswith("timestamp"):
        return f"t.\"{column}\" - n * interval '5 minutes'"
    return f't."{column}"'


def seconds_of_lists(server: Served) -> dict[str, float]:
    """Ask for each list several times; give the median."""
    found = {}
    for name, (path, body) in LISTS.items():
        times = []
        for _ in range(ASKED):
            begun = time.monotonic()
            server.ask("POST", path, json=body)
            times.append(time.monotonic() - begun)
        found[name] = statistics.median(times)
    return found


def seconds_late(server: Served, **parameters: Any) -> list[float]:
    """Give a deployment a schedule for a while; give how late a worker took each of its runs."""
    before = set(taken(server))
    with server.scheduled("watch", **parameters):
        server.wait(lambda: len(set(taken(server)) - before) >= PERIODS, 600, "runs of the schedule")
    return [late for run, late in taken(server).items() if run not in before]


def taken(server: Served) -> dict[str, float]:
    """Give the newest runs that a worker took, and how many seconds after their time."""
    begun = {"state": {"type": {"any_": ["PENDING", "RUNNING", "COMPLETED"]}}}  # not the runs that are planned
    body = {"flows": {"name": {"any_": ["watch"]}}, "flow_runs": begun, "sort": "START_TIME_DESC", "limit": 50}
    found = {}
    for run in server.ask("POST", "/flow_runs/filter", json=body).json():
        states = server.ask("GET", "/flow_run_states/", params={"flow_run_id": run["id"]}).json()
        pending = [moment(state["timestamp"]) for state in states if state["type"] == "PENDING"]
        if pending:  # else it met another one and was cancelled
            found[run["id"]] = (min(pending) - moment(run["expected_start_time"])).total_seconds()
    return found


def moment(text: str) -> datetime:
    """Read a time as the server writes it."""
    return datetime.fromisoformat(text)


def measure(server: Served, storage: Path, recipe: Path) -> None:
    """Print one column of the table."""
    for name, seconds in seconds_of_lists(server).items():
        print(f"{name}: {1000 * seconds:.0f} ms")
    late = seconds_late(server, recipe=str(recipe), storage=str(storage), settle_seconds=0.1)
    median, last = statistics.median(late), max(late)  # a worker takes runs up to 10 s before their time
    print(f"a scheduled run is taken {median:.1f} s after its time, at the latest {last:.1f} s ({len(late)} runs)")


def main() -> None:
    """Measure, add the runs, and measure again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=100_000)
    said = parser.parse_args()
    said.folder.mkdir(parents=True)
    port = free_port()
    url = f"postgresql://lstm:secret@127.0.0.1:{port}/prefect"
    database = Postgres(said.folder / "database", port, "lstm", "secret", "prefect")
    served.SETTINGS["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = url.replace("://", "+asyncpg://")
    server = Served(said.folder / "served")
    try:
        recipe, storage = write_recipe(said.folder), said.folder / "storage"
        parameters = {"recipe": str(recipe), "storage": str(storage)}
        run = server.run("prepare", source=str(write_pieces(said.folder / "music")), **parameters)
        assert server.ended(run, 300)["state_type"] == "COMPLETED"
        (storage / "inbox").mkdir()
        print("one finished run")
        measure(server, storage, recipe)
        asyncio.run(multiply(url, run, said.runs))
        print(f"{said.runs:,} finished runs more")
        measure(server, storage, recipe)
    finally:
        server.close()
        database.end()


if __name__ == "__main__":
    main()
