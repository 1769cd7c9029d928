"""A training step at the paper's size: dropout's short random numbers beside torch's own.

    python -m benchmarks.dropout --repeats 10

Both steps are of one network and one batch, in float32 and in bf16. They take turns, so that what
else the machine does falls on both; the best turn counts.
"""

from contextlib import nullcontext

import torch

from benchmarks.measure import arguments, show
from benchmarks.networks import VOCABULARY, paper_network
from benchmarks.products import best_seconds
from benchmarks.step import update
from mclas_lightning.model.dropout import short_random_numbers


def main() -> None:
    """Print the seconds of a step with short numbers as a share of those with torch's."""
    asked = arguments(__doc__ or "", batch=4, source=256, target=64)
    torch.manual_seed(0)
    network, report = paper_network(), {}
    source_BS = torch.randint(9, VOCABULARY, (asked.batch, asked.source))
    target_BT = torch.randint(9, VOCABULARY, (asked.batch, asked.target + 1))
    for precision, half in (("float32", False), ("bf16-mixed", True)):
        steps = {
            numbers: update(network, source_BS, target_BT, half=half, numbers=numbers)
            for numbers in (short_random_numbers, nullcontext)
        }
        short, own = best_seconds(steps, asked.repeats).values()
        report[f"{precision}, short / torch's, seconds"] = short / own
    show(report, asked.json)


if __name__ == "__main__":
    main()
