"""SQLite behind the server of `make serve`: each transaction takes the lock for writing when it begins.

Most transactions of Prefect begin deferred: they read first, and ask for the lock at their first write. If another connection
has written in between, SQLite refuses at once, whatever time to wait is set: `database is locked`. On a busy machine one user
and one worker meet that every few minutes. A transaction that begins immediate waits its turn instead, up to a minute.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.database.dependencies import MODELS_DEPENDENCIES
from prefect.server.utilities.database import get_dialect
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


class ImmediateSqlite(AioSqliteConfiguration):
    """Prefect's configuration of SQLite, with transactions that begin immediate."""

    @asynccontextmanager
    async def begin_transaction(
        self,
        session: AsyncSession,
        with_for_update: bool = False,  # noqa: ARG002  for Prefect: whether it begins immediate
    ) -> AsyncGenerator[AsyncSessionTransaction, None]:
        """Begin a transaction that holds the lock for writing."""
        async with super().begin_transaction(session, with_for_update=True) as transaction:
            yield transaction


def use_immediate_sqlite() -> None:
    """Have Prefect's server in this process use it, if its database is SQLite."""
    url = PREFECT_API_DATABASE_CONNECTION_URL.value()
    if get_dialect(url).name == "sqlite":
        MODELS_DEPENDENCIES["database_config"] = ImmediateSqlite(connection_url=url)
