"""SQLite with two transactions at once that read before they write, as most of Prefect's do."""

import asyncio

import pytest
import sqlalchemy
from prefect.server.database.configurations import AioSqliteConfiguration
from sqlalchemy.exc import OperationalError

from flows.engine.served_database import ImmediateSqlite


async def write_twice_at_once(configuration: AioSqliteConfiguration) -> list[BaseException | None]:
    engine = await configuration.engine()
    async with engine.connect() as connection:
        await connection.execute(sqlalchemy.text("CREATE TABLE lines (line TEXT)"))

    async def write(line: str) -> None:
        async with await configuration.session(engine) as session, configuration.begin_transaction(session):
            await session.execute(sqlalchemy.text("SELECT count(*) FROM lines"))
            await asyncio.sleep(0.1)  # so that the other one reads, too, before either writes
            await session.execute(sqlalchemy.text("INSERT INTO lines VALUES (:line)"), {"line": line})

    ended = await asyncio.gather(write("one"), write("two"), return_exceptions=True)
    await engine.dispose()
    return ended


def test_a_transaction_waits_for_its_turn(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/immediate.db"
    assert asyncio.run(write_twice_at_once(ImmediateSqlite(url))) == [None, None]


def test_prefects_own_configuration_refuses_the_second_one(tmp_path):
    """The reason for ours: once Prefect mends it, this fails, and ours can go."""
    ended = asyncio.run(write_twice_at_once(AioSqliteConfiguration(f"sqlite+aiosqlite:///{tmp_path}/deferred.db")))
    (refused,) = filter(None, ended)
    with pytest.raises(OperationalError, match="database is locked"):
        raise refused
