"""The process of a temporary Prefect server: it runs as long as its standard input is open.

`flows.engine.server` starts this file by its path. It imports nothing of this project, and nothing slow before it watches its
lifeline. Arguments: the descriptor of a listening socket, and a private folder that is deleted with the process.
"""

import gc
import os
import shutil
import socket
import sys
import threading
from pathlib import Path


def end_with_parent(folder: Path) -> None:
    """Wait for the end of standard input, which means that the parent ended; then delete the folder and end."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    for _attempt in range(3):  # a write in progress may create a file again
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


async def create_tables() -> None:
    """Create the tables of a new database in one step; Prefect's own migrations take 8 s of CPU.

    Prefect declares one index twice, which its migrations do not notice; this drops the second declaration.
    """
    from prefect.server.database import provide_database_interface

    database = provide_database_interface()
    metadata = database.Base.metadata
    for table in metadata.tables.values():
        named = {index.name: index for index in table.indexes}
        table.indexes.intersection_update(named.values())
    engine = await database.engine()
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


async def serve(listener: socket.socket) -> None:
    """Serve Prefect's API on `listener`, and print `ready` once it answers."""
    import uvicorn
    from prefect.server.api.server import create_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            gc.enable()
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody reads on

    await create_tables()
    config = uvicorn.Config(create_app(ephemeral=True, final=True), log_level="error", lifespan="on")
    await Server(config).serve([listener])


def main() -> None:
    """Serve until the parent ends."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=end_with_parent, args=(Path(sys.argv[2]),), daemon=True).start()
    gc.disable()  # until it serves: imported classes are never garbage, and scanning them costs 10 %
    import asyncio

    asyncio.run(serve(listener))


if __name__ == "__main__":
    main()
