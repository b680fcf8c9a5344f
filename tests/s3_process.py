"""An S3-compatible server in its own process, and the settings of its clients."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class S3Process:
    """The server; `settings` holds the environment variables of its clients."""

    def __init__(self, log: Path) -> None:
        import boto3  # takes half a second, which most tests can avoid

        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("s3_server.py")],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.url = f"http://127.0.0.1:{self._said('ready')}"
        self.settings = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._numbers = itertools.count()

    def new_bucket(self, kind: str = "music") -> str:
        """Make a bucket and return the URL of a folder in it."""
        name = f"{kind}-{next(self._numbers)}"
        self.client.create_bucket(Bucket=name)
        return f"s3://{name}/some/storage"

    def contents(self, url: str) -> dict[str, bytes]:
        """Return the objects below a URL: bytes by key."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {
            key.removeprefix(f"{prefix}/"): self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in keys
        }

    def put(self, url: str, data: bytes) -> Mapping[str, Any]:
        """Write bytes at a URL, and replace an existing object."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def remove(self, url: str) -> None:
        """Remove the object at a URL."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        self.client.delete_object(Bucket=bucket, Key=key)

    def go_away(self) -> None:
        """Become unreachable."""
        self.process.send_signal(signal.SIGUSR1)
        self._said("away")

    def come_back(self) -> None:
        """Become reachable again, with all stored objects."""
        self.process.send_signal(signal.SIGUSR2)
        self._said("ready")

    def end(self) -> None:
        """End the process."""
        self.client.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def _said(self, word: str) -> str:
        line = self.process.stdout.readline().split()
        assert line[:1] == [word], "the S3 server ended"
        return line[-1]
