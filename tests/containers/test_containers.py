"""The files for containers: consistent, valid, and what they install and start works; no container engine is needed."""

import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import httpx
import pytest
import yaml
from compose_here import COMPOSE, Postgres, Stack, free_port, missing_for_postgres, services
from dockerfile import stages
from program import REPOSITORY
from tiny_music import write_pieces, write_recipe

from flows.engine.health import main as check_health

TOOLS = Path(sys.executable).parent
VARIABLES = {
    "PREFECT_USER": "lstm",
    "PREFECT_PASSWORD": "of1prefect",
    "POSTGRES_PASSWORD": "of2postgres",
    "STORAGE_ACCESS_KEY": "test",
    "STORAGE_SECRET_KEY": "test",
}
STORAGE = "s3://lstm-music/storage"
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
LONGEST_SECONDS = 400.0
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
BUILD, FINAL = stages()


def of_example() -> set[str]:
    """The variables that .env.example sets or shows."""
    return set(re.findall(r"^#?([A-Z_]+)=", (REPOSITORY / ".env.example").read_text(), re.MULTILINE))


def test_the_example_has_every_variable_of_compose_and_no_password():
    assert of_example() == set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    assert "PASSWORD=\n" in (REPOSITORY / ".env.example").read_text()
    with pytest.raises(KeyError, match=r"set it in \.env"):
        services(VARIABLES | {"PREFECT_PASSWORD": ""})


def test_services_wait_for_healthy_ones_and_only_this_machine_reaches_them():
    found = services(VARIABLES)
    for name, service in found.items():
        assert ("healthcheck" in service) == (name != "setup")
        for other, wanted in service.get("depends_on", {}).items():
            done = "service_completed_successfully" if other == "setup" else "service_healthy"
            assert wanted == {"condition": done}
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert set(service.get("networks", [])) <= set(yaml.safe_load(COMPOSE.read_text())["networks"])
    assert found["worker"]["networks"] == ["lstm-music"]  # the database is for the server alone


def test_versions_are_those_of_the_project():
    assert services(VARIABLES)["worker"]["image"] == f"lstm-music:{VERSION}"
    assert f'version="{VERSION}"' in " ".join(FINAL.all("LABEL"))


def test_the_image_runs_as_a_user_of_a_fixed_number_and_checks_its_health():
    assert FINAL.all("USER") == ["10001:10001"]
    assert [stage.image for stage in (BUILD, FINAL)] == ["python:3.11-slim-bookworm"] * 2
    assert "flows.engine.health" in FINAL.all("HEALTHCHECK")[0]


def test_what_the_dockerfile_copies_is_there_and_not_ignored():
    allowed = set(re.findall(r"^!(\S+)", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE))
    copied = {name for text in BUILD.all("COPY") for name in text.split()[:-1]}
    assert copied == allowed
    assert all((REPOSITORY / name).exists() for name in copied)


@pytest.mark.parametrize(
    "words",
    [
        ["hadolint", "Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
    ],
    ids=lambda words: words[0],
)
def test_a_kept_checker_finds_nothing(words):
    if not (TOOLS / words[0]).exists():
        pytest.skip(f"{words[0]} is absent: install the extra `check`")
    done = subprocess.run([TOOLS / words[0], *words[1:]], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_health_is_that_of_the_server_or_nothing(monkeypatch, capsys):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    check_health([])
    for arguments, api in ([], "http://127.0.0.1:9/api"), (["http://127.0.0.1:9/api/health"], ""), (["no URL"], ""):
        monkeypatch.setenv("PREFECT_API_URL", api)
        with pytest.raises(SystemExit) as ended:
            check_health(arguments)
        assert ended.value.code == 1
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.operation
def test_the_steps_of_the_dockerfile_install_a_working_command(tmp_path):
    build, installed = tmp_path / "build", tmp_path / "installed"
    build.mkdir()
    for text in BUILD.all("COPY"):
        *names, target = text.split()
        for name in names:
            to = build / (target if len(names) == 1 else name)
            copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
            copy(REPOSITORY / name, to)
    (run,) = [step for step in BUILD.all("RUN") if "/opt/lstm-music" in step]  # the other one installs a compiler
    assert "/opt/lstm-music" in FINAL.all("COPY")[0]
    run = run.replace("/opt/lstm-music", str(installed)).replace("python -m venv", f"{sys.executable} -m venv")
    subprocess.run(["sh", "-c", run], cwd=build, check=True)
    data = tmp_path / "data"
    data.mkdir()
    environment = {"PATH": f"{installed}/bin:/usr/bin:/bin", "HOME": str(data)}
    for words, expected in [
        (["lstm-music", "--version"], VERSION),
        (
            ["python", "-c", "import flows, tasks, lstm_music, prefect_dask, s3fs; print(flows.__file__)"],
            str(installed),
        ),
        (["python", "-m", "flows.engine.health"], ""),
        (["lstm-music", "doctor"], f"lstm-music {VERSION}"),
    ]:
        done = subprocess.run(words, cwd=data, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert expected in done.stdout


@pytest.mark.operation
def test_the_services_of_compose_make_models_in_the_bucket(tmp_path, s3):
    if missing := missing_for_postgres():
        pytest.skip(missing)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o755)  # another user's PostgreSQL lies below
    ports = {name: free_port() for name in ("database", "server", "worker")}
    inbox = write_pieces(tmp_path / "inbox")
    stack = Stack(
        tmp_path,
        VARIABLES,
        {
            "database:5432": f"127.0.0.1:{ports['database']}",
            "http://storage:8333": s3.url,
            "http://server:4200": f"http://127.0.0.1:{ports['server']}",
            "127.0.0.1:4200": f"127.0.0.1:{ports['server']}",
            "4200": str(ports["server"]),
            "8080": str(ports["worker"]),
            "0.0.0.0": "127.0.0.1",
            "/inbox": str(inbox),
        },
    )
    database = Postgres(tmp_path / "database", ports["database"], "lstm", VARIABLES["POSTGRES_PASSWORD"], "prefect")
    try:
        assert database.is_healthy(stack.services["database"]["healthcheck"]["test"][1:])
        run_in(stack, s3, ports["server"], inbox)
    finally:
        stack.end()
        database.end()


def run_in(stack, s3, port, inbox):
    """Start the services, and have a deployment ingest the inbox and train."""
    stack.start("server")
    stack.start("setup")
    stack.wait_until_done("setup")
    url, auth = f"http://127.0.0.1:{port}", (VARIABLES["PREFECT_USER"], VARIABLES["PREFECT_PASSWORD"])
    assert httpx.post(f"{url}/api/flows/filter", json={}, trust_env=False).status_code == 401
    with httpx.Client(base_url=f"{url}/api", auth=auth, trust_env=False, timeout=30) as api:
        watch = api.get("/deployments/name/watch/watch").json()
        assert watch["parameters"] == {"storage": STORAGE, "inbox": str(inbox)}
        api.patch(f"/deployments/{watch['id']}", json={"paused": True}).raise_for_status()
        stack.start("worker", LSTM_MUSIC_CACHE=str(stack.folder / "cache"))
        stack.wait_until_healthy("worker")
        wait(lambda: online(api), "a worker in the pool")
        deployment = api.get("/deployments/name/train-all/train-all").json()
        parameters = {"recipe": str(write_recipe(stack.folder)), "source": str(inbox)}
        asked = {"parameters": deployment["parameters"] | parameters, "state": {"type": "SCHEDULED"}}
        run = api.post(f"/deployments/{deployment['id']}/create_flow_run", json=asked).raise_for_status().json()
        wait(lambda: api.get(f"/flow_runs/{run['id']}").json()["state_type"] in ENDED, "the end of the run")
        assert api.get(f"/flow_runs/{run['id']}").json()["state_type"] == "COMPLETED", stack.programs["worker"].errors
    assert httpx.get(f"{url}/ui-settings", auth=auth, trust_env=False).json()["api_url"] == f"{url}/api"
    made = {key.partition("/")[0] for key in s3.contents(STORAGE)}
    assert {"dataset", "model", "scorecard", "current.json"} <= made


def online(api):
    found = api.post("/work_pools/lstm-music/workers/filter", json={}).json()
    return [worker["name"] for worker in found if worker["status"] == "ONLINE"]


def wait(happened, what):
    end = time.monotonic() + LONGEST_SECONDS
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.5)
