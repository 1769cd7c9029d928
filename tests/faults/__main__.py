"""``make faults``: every command that writes meets every fault, and starts again.

Full and read-only disks are mounted, which root may do.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.commands import COMMANDS
from tests.faults.faults import FAULTS, NEED_MOUNTS, Trial, can_mount


def main() -> None:
    """Print a line for each pair of fault and command; exit 1 where one is not survived."""
    command = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    command.add_argument("--faults", nargs="+", choices=FAULTS, default=[*FAULTS])
    command.add_argument("--commands", nargs="+", choices=COMMANDS, default=[*COMMANDS])
    command.add_argument("--times", type=int, default=10, help="random tries of each (10)")
    command.add_argument("--seed", type=int, default=0)
    asked = command.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        with_run = any(COMMANDS[name].needs_run for name in asked.commands)
        trial = Trial(Path(folder), asked.seed, with_run)
        for fault in asked.faults:
            if fault in NEED_MOUNTS and not can_mount():
                print(f"{fault}: left out; only root may mount a disk")
                continue
            for name in asked.commands:
                failed |= not survives(trial, fault, name, asked.times)
    sys.exit(failed)


def survives(trial: Trial, fault: str, name: str, times: int) -> bool:
    """Whether a command survives all tries of a fault; what it does not is printed."""
    tries = [*FAULTS[fault](trial, name, times)]
    bad = [(what, wrong) for what, wrong in tries if wrong]
    if tries:
        print(f"{fault}: {name}: {len(tries) - len(bad)} of {len(tries)} survived", flush=True)
    for what, wrong in bad:
        print(f"  {what}:", *wrong, sep="\n    ", flush=True)
    return not bad


if __name__ == "__main__":
    main()
