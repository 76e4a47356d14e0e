"""Work on a real Dask cluster: which workers are used, what they get, and what becomes of lost ones."""

import datetime as dt
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import as_completed
from ipaddress import ip_address
from pathlib import Path

import cloudpickle
import dask
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cuvee import platforms
from cuvee.conda.package_record import Record
from cuvee.errors import SourceUnreachableError
from cuvee.executors.dask_cluster import DaskCluster
from cuvee.executors.dask_executor import DaskExecutor
from cuvee.executors.executor_choice import ExecutorChoice
from cuvee.executors.opened_executor import opened_executor
from cuvee.executors.remote_work import LostWorkersError, NoWorkerError
from cuvee.executors.shared_files import SharedFile
from cuvee.graph.channel_check import pool_check
from cuvee.graph.solving.pool import Pool
from dask_machines import Machines, machines

pytestmark = pytest.mark.real
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test
HOST = platforms.host()
HERE = HOST.name if HOST is not None else ""
OTHER = "osx-arm64" if HERE != "osx-arm64" else "linux-64"


@pytest.fixture(scope="module")
def cluster_of_four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Yield four workers; one of them declares a platform that it is not."""
    with machines(tmp_path_factory.mktemp("dask cluster ü")) as found:
        for name in ("one", "two", "three"):
            found.add(name, f"{HERE}=1")
        found.add("liar", f"{OTHER}=1")
        found.wait_for(4)
        yield found


def worker_name() -> str:
    from distributed import get_worker

    return str(get_worker().name)


def content(file: SharedFile) -> tuple[str, bytes]:
    return worker_name(), file.here().read_bytes()


def end_the_worker() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def end_the_worker_once(marker: str) -> str:
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return worker_name()
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def hang() -> None:
    threading.Event().wait(600)


def fail() -> None:
    raise ValueError("of the work")


def test_work_runs_on_the_workers_of_a_platform(cluster_of_four: Machines) -> None:
    with (
        DaskCluster(cluster_of_four.address) as cluster,
        DaskExecutor(cluster, platform=HERE) as executor,
    ):
        names = {future.result() for future in [executor.submit(worker_name) for _ in range(60)]}
    assert names <= {"one", "two", "three"}
    assert len(names) > 1
    assert executor.lost == []


def test_workers_are_seen_while_dask_asks_for_totals_only(cluster_of_four: Machines) -> None:
    with (
        dask.config.set({"distributed.client.scheduler-info-interval": "1ms"}),
        DaskCluster(cluster_of_four.address) as cluster,
    ):
        assert {len(cluster.members()) for _ in range(300)} == {4}


def test_a_worker_that_lies_about_its_platform_is_refused(cluster_of_four: Machines) -> None:
    with (
        DaskCluster(cluster_of_four.address) as cluster,
        DaskExecutor(cluster, platform=OTHER, patience=60) as executor,
    ):
        future = executor.submit(worker_name)
        with pytest.raises(NoWorkerError) as caught:
            future.result(timeout=50)
    assert executor.refused == {"liar": f"it declares {OTHER}, but is {HERE}"}
    assert f"liar: it declares {OTHER}, but is {HERE}" in str(caught.value)


def test_without_a_worker_the_message_says_what_was_seen(cluster_of_four: Machines) -> None:
    with (
        DaskCluster(cluster_of_four.address) as cluster,
        DaskExecutor(cluster, platform="win-64", patience=0) as executor,
        pytest.raises(NoWorkerError) as caught,
    ):
        executor.submit(worker_name).result(timeout=50)
    assert f"its 4 workers declare {HERE} (3), {OTHER} (1)" in str(caught.value)


def test_a_file_travels_once_to_each_worker(cluster_of_four: Machines, tmp_path: Path) -> None:
    path = tmp_path / "installer ä.sh"
    path.write_bytes(os.urandom(9_000_000))
    file = SharedFile.of(path)
    with DaskCluster(cluster_of_four.address) as cluster:
        for _ in range(2):
            with DaskExecutor(cluster, platform=HERE, files=[file]) as executor:
                found = [future.result() for future in [executor.submit(content, file) for _ in range(30)]]
            assert {data for _, data in found} == {path.read_bytes()}
        kept = sorted(cluster_of_four.folder.glob(f"*/**/cuvee/files/{file.sha256}"))
        assert {item.relative_to(cluster_of_four.folder).parts[0] for item in kept} >= {
            name for name, _ in found
        }
        assert not list(cluster_of_four.folder.glob("*/**/*.part"))
        damaged = kept[0]
        damaged.write_bytes(b"changed")
        with DaskExecutor(cluster, platform=HERE, files=[file]) as executor:
            again = {future.result()[1] for future in [executor.submit(content, file) for _ in range(30)]}
    assert again == {path.read_bytes()}


def test_a_file_that_changed_since_it_was_hashed_is_not_used(
    cluster_of_four: Machines, tmp_path: Path
) -> None:
    path = tmp_path / "installer.sh"
    path.write_bytes(b"first")
    file = SharedFile.of(path)
    path.write_bytes(b"then")
    with (
        DaskCluster(cluster_of_four.address) as cluster,
        DaskExecutor(cluster, platform=HERE, files=[file]) as executor,
        pytest.raises(NoWorkerError, match=f"its SHA-256 is [0-9a-f]+, not {file.sha256}"),
    ):
        executor.submit(content, file).result(timeout=50)


def test_a_channel_is_checked_on_a_cluster(
    cluster_of_four: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = long_pool()
    monkeypatch.setattr(pool_check, "_PART", 20)
    here = pool_check.check_pool(pool, "linux-64")
    assert len(here.not_installable) == 60
    monkeypatch.setattr(pool_check, "SMALL", 0)
    choice = ExecutorChoice.parse(cluster_of_four.executor)
    with opened_executor(choice) as executor:
        assert pool_check.check_pool(pool, "linux-64", executor=executor) == here


def long_pool() -> Pool:
    records = [Record(name="py", version=str(version), build="0") for version in range(1, 6)]
    for number in range(60):
        before = [f"a{number - 1}"] if number else []
        records += [
            Record(name=f"a{number}", version=str(version), build="0", depends=(f"py {version}", *before))
            for version in range(1, 5)
        ]
        needs = (f"a{number} {1 + number % 4}", "py 5")
        records.append(Record(name=f"bad{number}", version="1", build="0", depends=needs))
    return Pool(records)


def test_errors_of_the_work_are_those_of_its_future(cluster_of_four: Machines) -> None:
    with DaskCluster(cluster_of_four.address) as cluster, DaskExecutor(cluster) as executor:
        with pytest.raises(ValueError, match="of the work"):
            executor.submit(fail).result(timeout=50)
        assert executor.submit(len, "abc").result(timeout=50) == 3


def test_work_of_a_lost_worker_runs_elsewhere(tmp_path: Path) -> None:
    with machines(tmp_path) as found:
        found.add("one", f"{HERE}=1")
        found.add("two", f"{HERE}=1")
        found.wait_for(2)
        with DaskCluster(found.address) as cluster, DaskExecutor(cluster, platform=HERE) as executor:
            deadly = executor.submit(end_the_worker_once, str(tmp_path / "marker"))
            others = [executor.submit(worker_name) for _ in range(20)]
            left = deadly.result(timeout=60)
            assert [future.result(timeout=60) for future in as_completed(others)].count(left) > 0
    assert executor.lost == list(deadly.lost)
    assert {left, *deadly.lost} == {"one", "two"}


def test_work_that_ends_its_workers_does_not_end_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuvee.executors.dask_executor.MOST_LOST", 1)
    with machines(tmp_path) as found:
        found.add("one", f"{HERE}=1")
        found.add("two", f"{HERE}=1")
        found.wait_for(2)
        with DaskCluster(found.address) as cluster, DaskExecutor(cluster, platform=HERE) as executor:
            deadly = executor.submit(end_the_worker)
            with pytest.raises(LostWorkersError):
                deadly.result(timeout=100)
            assert executor.submit(len, "abc").result(timeout=60) == 3
    assert len(deadly.lost) == 1


def test_a_worker_that_joins_later_is_used(tmp_path: Path) -> None:
    with (
        machines(tmp_path) as found,
        DaskCluster(found.address) as cluster,
        DaskExecutor(cluster, platform=HERE) as executor,
    ):
        future = executor.submit(worker_name)
        found.add("late", f"{HERE}=1")
        assert future.result(timeout=60) == "late"


def test_a_scheduler_that_is_gone_ends_the_work(tmp_path: Path) -> None:
    with machines(tmp_path) as found:
        found.add("one")
        found.wait_for(1)
        with DaskCluster(found.address) as cluster, DaskExecutor(cluster) as executor:
            assert executor.submit(len, "abc").result(timeout=60) == 3
            future = executor.submit(hang)
            found.scheduler.kill()
            with pytest.raises(NoWorkerError, match="connection"):
                future.result(timeout=100)


def test_another_code_of_cuvee_is_refused(tmp_path: Path) -> None:
    preload = tmp_path / "older.py"
    preload.write_text("import cuvee.folder_hashes as f\nf.code_fingerprint = lambda: 'older'\n")
    with machines(tmp_path) as found:
        found.add("older", f"{HERE}=1", preload=preload)
        found.wait_for(1)
        with (
            DaskCluster(found.address) as cluster,
            DaskExecutor(cluster, platform=HERE) as executor,
            pytest.raises(NoWorkerError, match="it needs the same as here"),
        ):
            executor.submit(worker_name).result(timeout=60)


def test_no_scheduler_is_told(tmp_path: Path) -> None:
    with machines(tmp_path) as found:
        address = found.address
    with pytest.raises(SourceUnreachableError, match=f"No scheduler of Dask answers at tcp://{address}"):
        DaskCluster(address, seconds=1)


Certified = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(folder: Path, name: str, authority: Certified | None = None) -> Certified:
    """Write a certificate and its key, signed by an authority or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own if authority is None else authority[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )
    made = builder.sign(key if authority is None else authority[1], hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.key").write_bytes(private)
    return made, key


def test_tls_is_used_where_the_settings_of_dask_say_so(tmp_path: Path) -> None:
    import dask

    authority = certificate(tmp_path, "authority")
    certificate(tmp_path, "machine", authority)
    ca, cert, key = (str(tmp_path / name) for name in ("authority.pem", "machine.pem", "machine.key"))
    tls = {
        "distributed.comm.tls.ca-file": ca,
        "distributed.comm.tls.client.cert": cert,
        "distributed.comm.tls.client.key": key,
        "distributed.comm.require-encryption": True,
    }
    options = ("--protocol", "tls", "--tls-ca-file", ca, "--tls-cert", cert, "--tls-key", key)
    with dask.config.set(tls), machines(tmp_path, *options) as found:
        assert found.url.startswith("tls://")
        found.add("one", f"{HERE}=1")
        found.wait_for(1)
        with DaskCluster(found.address) as cluster, DaskExecutor(cluster, platform=HERE) as executor:
            assert executor.submit(worker_name).result() == "one"
        plain = dict.fromkeys(tls)
        with (
            dask.config.set({**plain, "distributed.comm.require-encryption": False}),
            pytest.raises(SourceUnreachableError, match="No scheduler of Dask answers at tcp://"),
            DaskCluster(found.address, seconds=1),
        ):
            pass
