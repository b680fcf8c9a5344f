"""Builds zips in memory for tests."""

import io
import warnings
import zipfile
from collections.abc import Iterable


def zip_bytes(members: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack members; their names can be hostile, or occur twice."""
    packed = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()
