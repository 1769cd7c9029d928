"""Floating-point operations of the paper's trainings, counted without a GPU or weights; as JSON.

A document of average length goes forward and backward through ``network=paper`` on torch's meta
device, where operations are counted and not computed. A training costs this times the documents of
an update times the updates of its recipe. Its GPU-hours are the cost divided by ``SUSTAINED``.
"""

import json
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import Memory, NetworkConfig, Seq2Seq

# Word pieces of a document, S^A and S^B: words (Zhu et al. 2019; for Gigaword Rush et al. 2015 and
# Table 7 of the paper) times 1.3 pieces, a Chinese character being one. Documents are cut at 512.
LENGTHS = {"zh2ensum": (104, 18, 18), "en2desum": (41, 12, 15), "en2zhsum": (512, 72, 96)}
RECIPES = ("paper", "released", "released_pretrain", "released_few_shot")
SUSTAINED = 100e12  # operations a second that a training reaches, not those of a data sheet


def operations(source: int, *targets: int) -> int:
    """Operations of one document, forward and backward; each target has a decoder."""
    decoders = tuple(str(number) for number in range(len(targets)))
    decoder = DecoderConfig(layers=6, heads=8, feed_forward=2048, dropout=0.0)
    with torch.device("meta"):
        sizes = NetworkConfig(encoder={"vocab_size": 105_879}, decoder=decoder, decoders=decoders)
        network = Seq2Seq(sizes)
        source_BS = torch.ones(1, source, dtype=torch.long)
        with FlopCounterMode(display=False) as counter:
            # transformers reads the values of a mask, which the meta device has not.
            hidden_BSD = network.encoder(input_ids=source_BS).last_hidden_state
            memory = Memory(hidden_BSD, torch.ones(1, 1, 1, source, dtype=torch.bool))
            losses = []
            for name, target in zip(decoders, targets, strict=True):
                target_BT = torch.ones(1, target + 1, dtype=torch.long)
                hidden_BTD = network.hidden(name, target_BT[:, :-1], memory)
                logits_MV = network.logits(hidden_BTD[0])
                losses.append(F.cross_entropy(logits_MV, target_BT[0, 1:], reduction="sum"))
            torch.stack(losses).sum().backward()
    return counter.get_total_flops()


def cost(settings: Settings, lengths: tuple[int, int, int]) -> dict[str, Any]:
    """The cost of a training of MCLAS, whose targets are the longest, by the recipe."""
    source, target = min(lengths[0] + 2, 512), lengths[1] + lengths[2] + 2
    optim = settings.optim
    shape = optim.recipe.shape()
    documents = shape.fits(source, target) * shape.accumulate * shape.ranks
    total = operations(source, target) * documents * settings.updates
    return {
        "documents_per_update": documents,
        "updates": settings.updates,
        "exaflop": round(total / 1e18, 2),
        "hours_at_100_tflops": round(total / SUSTAINED / 3600, 1),
    }


def main() -> None:
    """Print the report."""
    from mclas_lightning.config.compose import compose

    report: dict[str, Any] = {}
    for dataset, lengths in LENGTHS.items():
        for recipe in RECIPES:
            for scenario in ("minimum", "full") if recipe == "paper" else ("full",):
                words = [f"dataset={dataset}", f"optim={recipe}", f"scenario={scenario}"]
                settings = read_settings(compose("train", words))[0]
                report[" ".join(words)] = cost(settings, lengths)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
