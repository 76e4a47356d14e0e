"""Small signed sites, and what an adversary makes of them: keys, a trust folder, two releases, a server."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey
from tuf.api.metadata import Metadata

from cuvee.approvals.sums_file import SUMS, sums_text
from cuvee.files import sha256_bytes
from cuvee.trust.site_client import SiteClient
from cuvee.trust.site_metadata import NewFiles, next_metadata, read_published, serialized, signed_files
from cuvee.trust.site_source import site_source
from cuvee.trust.site_writer import SiteFile, copy_fixed, write_made
from cuvee.trust.trust_folder import RoleKeys, begin, complete, named_key, signed_by
from scripted_server import ScriptedServer, missing, send

NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
OLD, NEW = "tiny-2026.11.0", "tiny-2026.11.1"
FILE = "installers/Tiny-Linux-x86_64.sh"


def key_pair(name: str) -> tuple[Signer, SSlibKey]:
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    public = SSlibKey.from_crypto(private.public_key())
    named_key(public, name)
    return CryptoSigner(private, public), public


SIGNERS = {
    name: key_pair(name)[0]
    for name in ("alice", "bob", "carol", "stable", "edge", "site", "snapshot", "timestamp", "next", "thief")
}
KEYS = {name: signer.public_key for name, signer in SIGNERS.items()}
ROLES: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "root": (2, ("alice", "bob", "carol")),
    "targets": (2, ("alice", "bob", "carol")),
    "stable": (1, ("stable",)),
    "edge": (1, ("edge",)),
    "site": (1, ("site",)),
    "snapshot": (1, ("snapshot",)),
    "timestamp": (1, ("timestamp",)),
}


def role_keys(**others: tuple[int, tuple[str, ...]]) -> dict[str, RoleKeys]:
    return {
        role: RoleKeys(threshold=threshold, keys=tuple(KEYS[name] for name in names))
        for role, (threshold, names) in {**ROLES, **others}.items()
    }


def signed_by_all(files: Mapping[str, bytes], *names: str) -> dict[str, bytes]:
    found = dict(files)
    for name in names or ("alice", "bob"):
        found |= signed_by(found, SIGNERS[name])
    return found


def new_trust(**others: tuple[int, tuple[str, ...]]) -> dict[str, bytes]:
    """The files of a trust folder that Alice and Bob have signed."""
    return signed_by_all(begin(role_keys(**others), NOW))


@dataclass(kw_only=True)
class Site:
    """A site in a folder, its trust folder, and the releases that it has."""

    folder: Path
    trust: dict[str, bytes] = field(default_factory=new_trust)

    @property
    def root(self) -> bytes:
        return self.trust["1.root.json"]

    def read(self, name: str) -> bytes | None:
        path = self.folder / "metadata" / name
        return path.read_bytes() if path.is_file() else None

    def publish(
        self,
        *releases: str,
        track: str = "stable",
        now: dt.datetime = NOW,
        signers: Iterable[str] = tuple(SIGNERS),
        made: Mapping[str, bytes] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> dict[str, bytes]:
        """Publish releases with an installer each, and ``more``; return the metadata that is written."""
        roots, targets = complete(self.trust)
        before = read_published(self.read, roots)
        named = sorted({*(before.releases.get(track, ()) if before else ()), *releases})
        index = f"releases/{track}/index.json"
        files = {"index.html": b"<title>releases</title>", **(made or {})}
        if named:
            files.setdefault(index, json.dumps({"releases": named}).encode())
        new, contents = {}, self.folder.parent / f"{self.folder.name}-contents"
        for release in releases:
            fixed = {}
            installer = f"installer of {release}\n" * 40
            sums = sums_text({FILE: sha256_bytes(installer.encode())})
            for name, text in ((FILE, installer), (SUMS, sums), *(more or {}).items()):
                path = contents / release / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                fixed[f"releases/{track}/{release}/{name}"] = SiteFile(
                    path=path, sha256=sha256_bytes(text.encode())
                )
            new[release] = copy_fixed(self.folder, fixed, hashed=True)
        signed = signed_files(files.items())
        metadata = next_metadata(
            before,
            NewFiles(
                site={path: item for path, item in signed.items() if path != index},
                indexes={track: {index: signed[index]}} if named else {},
                releases={track: new},
            ),
            roots,
            targets,
            signers={KEYS[name].keyid: SIGNERS[name] for name in signers},
            now=now,
        )
        write_made(self.folder, files, metadata)
        return metadata

    def client(
        self, state: Path, *, now: dt.datetime = NOW, url: str = "", root: bytes | None = None
    ) -> SiteClient:
        source = site_source(url or str(self.folder), state / "parts")
        return SiteClient.open(source, self.root if root is None else root, state / "state", now)

    def change(self, name: str, edit: Callable[[Any], None], *signers: str) -> None:
        """Edit the newest metadata of a role, and sign it, as who has these keys can."""
        path = self.newest(name)
        metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
        edit(metadata.signed)
        metadata.signatures.clear()
        for signer in signers:
            metadata.sign(SIGNERS[signer], append=True)
        number = "" if name == "timestamp" else f"{metadata.signed.version}."
        (path.parent / f"{number}{name}.json").write_bytes(serialized(metadata))

    def newest(self, name: str) -> Path:
        folder = self.folder / "metadata"
        if name == "timestamp":
            return folder / "timestamp.json"
        return max(folder.glob(f"*.{name}.json"), key=lambda path: int(path.name.partition(".")[0]))

    def announce(
        self, *roles: str, stolen: tuple[str, ...] = ("snapshot", "timestamp"), version: int = 0
    ) -> None:
        """Sign a new snapshot and timestamp for metadata that was changed, with the online keys."""
        from tuf.api.metadata import MetaFile

        def described(role: str) -> MetaFile:
            data = self.newest(role).read_bytes()
            return MetaFile.from_data(version or Metadata.from_bytes(data).signed.version, data, ["sha256"])

        def in_snapshot(signed: Any) -> None:
            signed.version += 1
            for role in roles:
                signed.meta[f"{role}.json"] = described(role)

        def in_timestamp(signed: Any) -> None:
            signed.version += 1
            signed.snapshot_meta = MetaFile.from_data(
                (found := Metadata.from_bytes(self.newest("snapshot").read_bytes())).signed.version,
                serialized(found),
                ["sha256"],
            )

        if roles:
            self.change("snapshot", in_snapshot, stolen[0])
        self.change("timestamp", in_timestamp, stolen[1])


def serve_folder(server: ScriptedServer, folder: Path) -> None:
    """Answer with what a folder has now; single ranges are understood."""

    class Answers(dict[str, Callable[[BaseHTTPRequestHandler], None]]):
        def get(self, path: Any, default: Any = None) -> Any:
            if path in self:
                return self[path]
            file = folder / str(path).lstrip("/")
            return lambda request: answer(request, file) if file.is_file() else missing(request)

    def answer(request: BaseHTTPRequestHandler, file: Path) -> None:
        data = file.read_bytes()
        first = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if not first:
            send(request, 200, data)
        elif first >= len(data):
            send(request, 416)
        else:
            send(request, 206, data[first:], {"Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"})

    server.answers = Answers()


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wanted(release: str = NEW, track: str = "stable") -> str:
    return f"releases/{track}/{release}/{FILE}"
