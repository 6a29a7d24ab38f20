"""What several processes compute is what one computes, and the guide's scripts start them as they say."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

import literatim
from conftest import CHECKOUT, inside
from test_guides import fences, text_of
from test_launch import TINY, by_kubernetes, folders, free_port, start
from without_noise import BATCHES

GUIDE = CHECKOUT / "docs" / "guides" / "cluster.md"


@pytest.fixture(scope="module")
def curves(tmp_path_factory) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Of each paper the row of one process and that of two, which share nine examples in 5 and 4."""
    one, two = (tmp_path_factory.mktemp(name) for name in ("one", "two"))
    script, port = str(Path(__file__).with_name("without_noise.py")), free_port()
    jobs = [([str(one), "2"], {}), *(([str(two), "1"], by_kubernetes(rank, port)) for rank in (0, 1))]
    processes = [
        subprocess.Popen([sys.executable, script, *args], env={**os.environ, **env}, stderr=-1, stdout=-1, text=True)
        for args, env in jobs
    ]
    for process in processes:
        said = process.communicate(timeout=200)[1]
        assert process.returncode == 0, said
    read = [
        {paper: list(csv.DictReader((runs / paper / "quick/0/curve.csv").open()))[-1] for paper in BATCHES}
        for runs in (one, two)
    ]
    return {paper: (read[0][paper], read[1][paper]) for paper in BATCHES}


@pytest.mark.parametrize("paper", BATCHES)
def test_two_processes_compute_what_one_does_from_shares_that_are_unequal(curves, paper):
    one, two = curves[paper]
    assert one.keys() == two.keys()
    assert any(name.endswith("loss") for name in one)
    for name in one.keys() - {"wall_s"}:
        assert float(two[name]) == pytest.approx(float(one[name]), rel=1e-4), name


def sharded(*args: str, cwd: Path) -> None:
    command = [sys.executable, str(Path(__file__).with_name("sharded.py")), *args]
    env = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{Path(__file__).parent}:{os.environ.get('PYTHONPATH', '')}",
    }
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr


def test_vgg_by_fsdp_computes_goes_on_and_saves_as_one_process_does(tmp_path):
    """On the CPU, in two processes; its checkpoint is that of one, and goes on without FSDP too."""
    sharded("fit", "one", "2", "--trainer.max_epochs", "2", cwd=tmp_path)
    sharded("fit", "two", "1", "--trainer.max_epochs", "1", cwd=tmp_path)
    last = tmp_path / "two/vgg/quick/0/checkpoints/last.ckpt"
    sharded("fit", "two", "1", "--ckpt_path", str(last), "--trainer.max_epochs", "2", cwd=tmp_path)
    one, two = (list(csv.DictReader((tmp_path / name / "vgg/quick/0/curve.csv").open())) for name in ("one", "two"))
    assert len(one) == len(two) == 2
    for row, other in zip(one, two, strict=True):
        for name in row.keys() - {"wall_s"}:
            assert float(other[name]) == pytest.approx(float(row[name]), rel=1e-4), name
    record = json.loads((last.parents[1] / "record.json").read_text())
    assert "trainer.devices=2" in record["overrides"]
    net = literatim.load("vgg", weights=last)
    assert net(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    tested = inside("test", "vgg", "--ckpt_path", str(last), "--trainer.limit_test_batches", "2", cwd=tmp_path)
    assert tested.returncode == 0, tested.stderr


def block(title: str) -> str:
    return next(fence.body for fence in fences(text_of(GUIDE)) if fence.title == title)


def test_the_guides_sbatch_script_makes_one_run(tmp_path):
    """With a `srun` that starts two tasks on one node as SLURM does, and a short run in place of ImageNet's."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "srun").write_text(f"""#!/bin/bash
shift  # --kill-on-bad-exit=1
[ "$1 $2" = "literatim reproduce" ] || exit 9
export SLURM_JOB_ID=7 SLURM_JOB_NAME=train.sbatch SLURM_NTASKS=2 SLURM_NTASKS_PER_NODE=2 SLURM_NNODES=1 SLURM_NODEID=0
export SLURM_NODELIST=localhost MASTER_PORT={free_port()}
for task in 0 1; do
  SLURM_PROCID=$task SLURM_LOCALID=$task {sys.executable} -m literatim fit {" ".join(TINY)} & pids="$pids $!"
done
for pid in $pids; do wait $pid || exit $?; done
""")
    (tools / "srun").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", "-c", block("train.sbatch")], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert folders(tmp_path / "runs") == ["0"]
    assert done.stdout.count("run  runs/lenet/quick/0") == done.stderr.count("epoch 1/1") == 1


@pytest.mark.parametrize("status", [0, 2, 138])
def test_the_guides_sbatch_script_queues_again_what_ran_out_of_time(tmp_path, status):
    for name, body in (("srun", f"exit {status}"), ("scontrol", f"echo $* > {tmp_path}/asked")):
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "7"}
    assert subprocess.run(["bash", "-c", block("train.sbatch")], env=env).returncode == status
    assert (tmp_path / "asked").exists() is (status == 138)


def test_the_guides_pods_are_one_run(tmp_path):
    """Each replica's command with the operator's variables, and a short run in place of ImageNet's."""
    replicas = yaml.safe_load(block("pytorchjob.yaml"))["spec"]["pytorchReplicaSpecs"]
    assert {"Master", "Worker"} == set(replicas)
    for replica in replicas.values():
        (container,) = replica["template"]["spec"]["containers"]
        assert container["name"] == "pytorch", "the operator sets the variables of this container alone"
        assert container["command"][:2] == ["literatim", "reproduce"]
    port = free_port()
    pods = [start("fit", *TINY, cwd=tmp_path, **by_kubernetes(rank, port)) for rank in (0, 1)]
    said = [pod.communicate(timeout=120) for pod in pods]
    assert [pod.returncode for pod in pods] == [0, 0], said
    assert said[1] == ("", "")
    assert folders(tmp_path / "runs") == ["0"]


NODES = """
set -e
ip netns add {a}; ip netns add {b}
ip link add {a} netns {a} type veth peer name {b} netns {b}
ip -n {a} addr add 10.213.7.1/24 dev {a}; ip -n {b} addr add 10.213.7.2/24 dev {b}
for n in {a} {b}; do ip -n $n link set $n up; ip -n $n link set lo up; done
"""


@pytest.fixture
def nodes():
    """Two network namespaces that are connected, as two machines are."""
    a, b = f"lta{os.getpid()}", f"ltb{os.getpid()}"
    made = subprocess.run(["bash", "-c", NODES.format(a=a, b=b)], capture_output=True, text=True)
    if made.returncode == 0:
        yield a, b
    subprocess.run(["bash", "-c", f"ip netns del {a}; ip netns del {b}"], capture_output=True)
    if made.returncode:
        pytest.skip(f"no network namespaces can be made here: {made.stderr.strip()}")


def test_two_nodes_are_one_run(tmp_path, nodes):
    """Gloo takes the address of the host's name, which both nodes share here, unless it is told the interface."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    processes = []
    for rank, node in enumerate(nodes):
        launcher = ["ip", "netns", "exec", node, sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"]
        launcher += ["--node_rank", str(rank), "--nproc_per_node", "1", "--master_addr", "10.213.7.1"]
        launcher += ["--master_port", "29500", "-m", "literatim", "fit", *TINY]
        interface = {"GLOO_SOCKET_IFNAME": node}
        processes.append(subprocess.Popen(launcher, cwd=tmp_path, env=env | interface, stdout=-1, stderr=-1, text=True))
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert folders(tmp_path / "runs") == ["0"]
    assert "run  runs/lenet/quick/0" in said[0][0]
    assert said[1][0] == ""
