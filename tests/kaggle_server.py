"""A local replacement of Kaggle for its client: two hosts behind a proxy, with our own certificates.

The environment variables HTTPS_PROXY and REQUESTS_CA_BUNDLE, which every user has, lead the real client here. It sends a
request to api.kaggle.com, follows the redirect to a signed URL at storage.googleapis.com, and gets the zip there.
"""

import base64
import contextlib
import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

API, STORAGE = "api.kaggle.com", "storage.googleapis.com"
SIGNATURE = "5169" * 16  # in the URL of a download; it is enough to download
DOWNLOAD = "/v1/datasets.DatasetApiService/DownloadDataset"
INTROSPECT = "/v1/security.OAuthService/IntrospectToken"
CHUNK = 1 << 14


@dataclass
class Answer:
    """A response that replaces the correct one."""

    status: int  # 0 for no response
    body: bytes = b"{}"
    content_type: str = "application/json"


@dataclass
class Dataset:
    """A dataset on Kaggle, and who may download it."""

    data: bytes
    etag: str | None = '"1"'
    last_modified: str | None = "Mon, 02 Nov 2026 10:00:00 GMT"
    owner: str | None = None  # the only user with access; None for all users
    length: int | None = None  # the announced size in bytes; None for the real one


@dataclass
class Asked:
    """A received request, and the number of bytes of the zip sent for it."""

    host: str
    path: str
    headers: dict[str, str]
    sent: int = 0


@dataclass
class Kaggle:
    """The data of the server, its planned failures, and the received requests."""

    proxy: str
    certificate: Path
    datasets: dict[str, Dataset] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # token → user
    keys: dict[str, str] = field(default_factory=dict)  # user → key
    cuts: list[int | None] = field(default_factory=list)  # bytes of the zip after which each of the next responses ends
    silent: bool = False  # a cut download stalls instead of ending
    api: list[Answer] = field(default_factory=list)  # the next responses of the API
    storage: list[Answer | None] = field(
        default_factory=list
    )  # the next responses of the storage; None for the correct one
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables of a client."""
        return {
            "HTTPS_PROXY": self.proxy,
            "https_proxy": self.proxy,
            "NO_PROXY": "",
            "no_proxy": "",
            "REQUESTS_CA_BUNDLE": str(self.certificate),
        }

    def downloads(self) -> list[Asked]:
        """The requests for a zip."""
        return [asked for asked in self.asked if asked.host == STORAGE]

    def asked_for(self) -> list[Asked]:
        """The requests for the URL of a zip."""
        return [asked for asked in self.asked if asked.path == DOWNLOAD]


@contextlib.contextmanager
def kaggle_server(folder: Path) -> Iterator[Kaggle]:
    """Run the server until the context ends; `folder` holds its certificates."""
    certificate, context = _certificates(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.context = context
    server.kaggle = Kaggle(f"http://127.0.0.1:{server.server_port}", certificate)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.kaggle
    finally:
        server.kaggle.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """A connection to the proxy, and through it to one of the two hosts."""

    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self):
        self.host = self.path.partition(":")[0]
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, CHUNK
        )  # a small buffer: unread bytes are not sent
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note()
        if self.kaggle.api:
            self._answer(self.kaggle.api.pop(0))
        elif self.path == INTROSPECT:
            user = self.kaggle.tokens.get(body["token"])
            self._say(200, {"active": user is not None, "username": user or ""})
        else:
            self._send_on(f"{body['ownerSlug']}/{body['datasetSlug']}")

    def do_GET(self):
        asked = self._note()
        path, _, query = self.path.partition("?")
        answer = self.kaggle.storage.pop(0) if self.kaggle.storage else None
        if answer:
            self._answer(answer)
        elif query != f"X-Goog-Signature={SIGNATURE}":
            self._say(403, {})
        else:
            self._give(self.kaggle.datasets[path.strip("/").removesuffix("/archive.zip")], asked)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):  # the client has closed the connection
            self.close_connection = True

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()
        self.connection.close()

    def log_message(self, *arguments):
        pass

    @property
    def kaggle(self):
        return self.server.kaggle

    def _note(self):
        self.kaggle.asked.append(Asked(self.host, self.path, dict(self.headers)))
        return self.kaggle.asked[-1]

    def _user(self):
        """Return the user of the request, "" for an anonymous one, or None for wrong credentials."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer":
            return self.kaggle.tokens.get(value)
        if kind == "Basic":
            user, _, key = base64.b64decode(value).decode().partition(":")
            return user if self.kaggle.keys.get(user) == key else None
        return ""

    def _send_on(self, name):
        user, dataset = self._user(), self.kaggle.datasets.get(name)
        if user is None:
            self._say(401, {"code": 401, "message": "Unauthenticated"})
        elif dataset is None:
            self._say(404, {"code": 404, "message": "Not found"})
        elif dataset.owner not in {None, user}:
            self._say(403, {"code": 403, "message": "Permission 'datasets.get' was denied"})
        else:
            place = f"https://{STORAGE}/{name}/archive.zip?X-Goog-Signature={SIGNATURE}"
            self._say(302, {}, {"Location": place})

    def _give(self, dataset, asked):
        first = self._first_byte(dataset)
        data = dataset.data[first:]
        headers = {"Accept-Ranges": "bytes", "Content-Type": "application/zip"}
        headers |= {"ETag": dataset.etag} if dataset.etag else {}
        headers |= {"Last-Modified": dataset.last_modified} if dataset.last_modified else {}
        headers["Content-Length"] = str(len(data) if dataset.length is None else dataset.length)
        self._head(206 if first else 200, headers)
        end = self.kaggle.cuts.pop(0) if self.kaggle.cuts else None
        data = data if end is None else data[: end - first]
        for place in range(0, len(data), CHUNK):
            chunk = data[place : place + CHUNK]
            self.wfile.write(chunk)
            asked.sent += len(chunk)
        if end is not None and self.kaggle.silent:
            self.kaggle.over.wait()
        self.close_connection = end is not None or dataset.length is not None

    def _first_byte(self, dataset):
        unchanged = self.headers.get("If-Range") in {dataset.etag, dataset.last_modified}
        text = self.headers.get("Range", "") if unchanged else ""
        return int(text.removeprefix("bytes=").removesuffix("-") or 0)

    def _answer(self, answer):
        if answer.status == 0:
            self.kaggle.over.wait()
        self._head(answer.status, {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))})
        self.wfile.write(answer.body)

    def _say(self, status, body, headers=None):
        data = json.dumps(body).encode()
        self._head(status, {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})})
        self.wfile.write(data)

    def _head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _certificates(folder):
    """Make an authority and a certificate for both hosts; return the authority's file and the server's context."""
    now = dt.datetime.now(dt.UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])

    def signed(name, public_key, extensions):
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(authority_name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    usage |= {"key_cert_sign": True, "crl_sign": True, "encipher_only": False, "decipher_only": False}
    authority = signed(
        authority_name,
        authority_key.public_key(),
        [(x509.BasicConstraints(ca=True, path_length=0), True), (x509.KeyUsage(**usage), True), (authority_id, False)],
    )
    server = signed(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, API)]),
        key.public_key(),
        [
            (x509.SubjectAlternativeName([x509.DNSName(API), x509.DNSName(STORAGE)]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_id), False),
        ],
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "authority.pem").write_bytes(authority)
    (folder / "server.pem").write_bytes(private + server)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return folder / "authority.pem", context
