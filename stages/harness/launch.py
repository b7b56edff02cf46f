"""One process per GPU, or as many as the environment asks for."""

from __future__ import annotations

import logging
import os
import re
import shlex
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from creatures.runtime.errors import ERRORS_DIR, report_error, reported
from creatures.runtime.signals import END, INTERRUPTED
from creatures.runtime.system import usable_cores


def launch(stage: str) -> None:
    """Launch the processes of a training stage; returns only in the processes that are to train.

    Processes that torchrun, `accelerate launch` or srun started train as they are. Otherwise the command in
    the environment variable LAUNCHER, such as "srun --ntasks-per-node=4", restarts the stage; without it,
    one process is started per visible GPU, or as many as PROCESSES says.
    """
    from_slurm()
    if "WORLD_SIZE" in os.environ:
        return
    command = [sys.executable, "-m", f"stages.{stage}"]
    if launcher := shlex.split(os.environ.pop("LAUNCHER", "")):
        try:
            os.execvp(launcher[0], launcher + command)
        except OSError as error:
            sys.exit(f"{stage}: LAUNCHER is {launcher[0]!r}: {error.strerror}")
    processes = os.environ.get("PROCESSES", "")
    if processes and not processes.isdecimal():
        sys.exit(f"{stage}: PROCESSES is {processes!r}: it must be a number")
    count = int(processes or torch.cuda.device_count())
    if count > 1:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // count)))  # of each
        sys.exit(start(command, count))


def from_slurm() -> None:
    """Set torchrun's variables from those that srun sets for the processes of a job step, not for a batch script."""
    env = os.environ
    if int(env.get("SLURM_STEP_NUM_TASKS", "1")) < 2 or "SLURM_PROCID" not in env or "WORLD_SIZE" in env:
        return
    first = re.sub(r"\[(\d+).*", r"\1", env["SLURM_STEP_NODELIST"].split(",")[0])  # n[01-03,07],m1 gives n01
    n_gpus = torch.cuda.device_count() or 1
    env |= {
        "RANK": env["SLURM_PROCID"],
        "WORLD_SIZE": env["SLURM_STEP_NUM_TASKS"],
        # each process may see only its own GPU or all those of its node
        "LOCAL_RANK": str(int(env["SLURM_LOCALID"]) % n_gpus),
        "MASTER_ADDR": env.get("MASTER_ADDR", first),
        "MASTER_PORT": env.get("MASTER_PORT", str(20000 + int(env["SLURM_JOB_ID"]) % 10000)),
    }


def start(command: list[str], count: int) -> int:
    """Run a command in `count` processes on this machine; if one fails, the others are terminated.

    What they report is printed when all have ended, each line once. That the others were interrupted goes without
    saying if one failed.

    Returns:
        The exit status of the first that failed, or 0.
    """
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # stages report errors themselves
    config = LaunchConfig(
        1, 1, count, run_id=str(os.getpid()), rdzv_backend="c10d", rdzv_endpoint="localhost:0", max_restarts=0
    )
    with TemporaryDirectory() as folder:
        os.environ[ERRORS_DIR] = folder
        try:
            elastic_launch(config, command[0])(*command[1:])
        except ChildFailedError as error:
            _, failure = error.get_first_failure()
            if failure.exitcode < 0:
                print(f"process {failure.local_rank} was ended by {failure.signal_name()}", file=sys.stderr)
            return max(failure.exitcode, 1)
        except SignalException:
            return INTERRUPTED
        finally:
            del os.environ[ERRORS_DIR]
            lines = reported(Path(folder))
            failed = [line for line in lines if not line.endswith(END)]
            for line in failed or lines:
                report_error(line)
    return 0
