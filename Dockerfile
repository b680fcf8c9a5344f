# One image for Prefect's server, the deployments and the worker: see docs/containers.md.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY constraints.txt pyproject.toml setup.py MANIFEST.in README.md LICENSE prefect.yaml automations.yaml ./
COPY recipes recipes
COPY flows flows
COPY tasks tasks
COPY lstm_music lstm_music
# The compiler makes reading MIDI about five times as fast (lstm_music/midi/loops.py), and stays in this stage.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc=4:12.* libc6-dev=2.36-* \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/lstm-music \
    && /opt/lstm-music/bin/python -m pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt ".[train,s3,dask]"

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="lstm-music" \
    org.opencontainers.image.description="Learn music from a pile of MIDI files and generate more of it" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.licenses="MIT"
# Fixed numbers, so that the owner of files in volumes stays the same from image to image.
RUN groupadd --gid 10001 lstm \
    && useradd --uid 10001 --gid 10001 --create-home lstm \
    && install --directory --owner=10001 --group=10001 /data /cache
COPY --from=build /opt/lstm-music /opt/lstm-music
ENV PATH=/opt/lstm-music/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LSTM_MUSIC_CACHE=/cache \
    PREFECT_HOME=/data/.prefect \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1
# Deployments run in the folder that they are deployed from.
WORKDIR /data
USER 10001:10001
# With PREFECT_API_URL set: whether that server answers. A container for one command has nothing to check.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "flows.engine.health"]
CMD ["lstm-music", "--help"]
