"""A Slurm of one node on this machine, in a folder of its own: started, and stopped again.

It installs nothing: Debian's packages slurm-wlm and munge must be there, and the user be root.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "sinfo")
# A requeued job waits for cred_expire seconds (120 by default). Slurm kills a job that is forced to
# start in the second of its requeue: its credential is revoked.
CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=10
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,sched_min_interval=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
KillWait=20
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000
PartitionName=test Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why no Slurm can be started here."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed (apt-get install slurm-wlm munge)"
    return None if os.geteuid() == 0 else "Slurm's daemons are started by root"


@contextmanager
def cluster(folder: Path, cpus: int) -> Iterator[dict[str, str]]:
    """Yield the environment in which sbatch finds it; at the end its jobs and daemons are gone."""
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(mode=0o700, parents=True)
    conf = folder / "slurm.conf"
    ports = _free_ports(2)
    host = socket.gethostname().split(".")[0]
    conf.write_text(CONF.format(folder=folder, ports=ports, host=host, cpus=cpus))
    environment = os.environ | {"SLURM_CONF": str(conf), "PATH": _path()}
    started: list[subprocess.Popen] = []
    try:
        started.append(_munged(folder / "munge", environment))
        for daemon in (["slurmctld", "-D"], ["slurmd", "-D", "-N", "localhost"]):
            started.append(_start([*daemon, "-f", str(conf)], folder, environment))
        _until_idle(folder, environment)
        yield environment
    finally:
        if len(started) == 3:
            subprocess.run(["scancel", "--me"], env=environment)
            _until_empty(environment)
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _munged(folder: Path, environment: dict[str, str]) -> subprocess.Popen:
    key = folder / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    files = [f"--{name}={folder}/{name.split('-')[0]}" for name in FILES]
    process = _start(["munged", "--foreground", "--force", *files], folder, environment)
    _until(lambda: (folder / "socket").exists(), folder, "munged")
    return process


FILES = ("socket", "key-file", "pid-file", "log-file", "seed-file")


def _start(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen:
    with (folder / f"{command[0]}.out").open("w") as out:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=out)


def _until_idle(folder: Path, environment: dict[str, str]) -> None:
    def idle() -> bool:
        command = ["sinfo", "--noheader", "--format=%T"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        return done.stdout.strip() == "idle"

    _until(idle, folder, "slurmctld, slurmd")


def _until_empty(environment: dict[str, str]) -> None:
    for _ in range(60):
        done = subprocess.run(
            ["squeue", "--noheader"], env=environment, capture_output=True, text=True
        )
        if not done.stdout.strip():
            return
        time.sleep(0.5)


def _until(ready, folder: Path, what: str) -> None:
    for _ in range(120):
        if ready():
            return
        time.sleep(0.5)
    logs = [path.read_text()[-2000:] for path in (*folder.glob("*.out"), *folder.glob("*.log"))]
    raise RuntimeError(f"{what} did not start\n" + "\n".join(logs))


def _free_ports(num: int) -> list[int]:
    sockets = [socket.socket() for _ in range(num)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _path() -> str:
    """Debian's daemons lie where only root's shells look."""
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"
