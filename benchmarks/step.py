"""A training step at the paper's size, beside torch's own Transformer: seconds, share of the limit.

Both have the same sizes, dropout, label smoothing and two Adams. Torch's layers are called as in
their documentation: the output layer at every position, torch's cross-entropy, Adam with default
options. Each system runs in a process of its own, so that the peak memory is the system's.

``--compiled 1`` adds our step under torch.compile. torch.compile refuses oneDNN's products, so that
torch multiplies there; our step with torch's products and without torch.compile stands beside it.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measure import arguments, matmul_rate, operations, peak_memory, show, timed
from benchmarks.networks import VOCABULARY, paper_network
from mclas_lightning.model.dropout import short_random_numbers
from mclas_lightning.model.seq2seq import Seq2Seq

WIDTH, ENCODER, DECODER = 768, (12, 12, 3072), (6, 8, 2048)  # layers, heads, feed-forward


def ours(
    source_BS: Tensor, target_BT: Tensor, *, recompute: bool = False, **options: Any
) -> Callable[[], object]:
    """One update of a SummarizationModule, with ``trainer.recompute_activations`` or without."""
    network = paper_network()
    if recompute:
        network.recompute_activations()
    return update(network, source_BS, target_BT, **options)


def with_torchs_products(
    source_BS: Tensor, target_BT: Tensor, *, compiled: bool
) -> Callable[[], object]:
    """Our step with torch's products, its layers compiled or not."""
    from mclas_lightning.model import linear

    linear._onednn_multiplies = lambda x: False
    network = paper_network()
    if compiled:
        for layer in (*network.encoder.encoder.layer, *network.decoder("decoder").layers):
            layer.compile()
    return update(network, source_BS, target_BT)


def update(
    network: Seq2Seq,
    source_BS: Tensor,
    target_BT: Tensor,
    wrap: Callable[[nn.Module], nn.Module] = lambda module: module,
    half: bool = False,
    fused: bool = False,
    numbers: Callable[[], AbstractContextManager[None]] = short_random_numbers,
) -> Callable[[], object]:
    """What a SummarizationModule does with a batch; ``wrap`` is DDP where there is one.

    ``half`` is ``trainer.precision=bf16-mixed``; ``fused`` leaves attention to torch's fused kernel
    there, as in float32. ``numbers`` are the random ones of dropout.
    """
    from mclas_lightning.config.compose import compose
    from mclas_lightning.config.settings import read_settings
    from mclas_lightning.data.batch import make_batch
    from mclas_lightning.model.malloc import keep_freed_memory
    from mclas_lightning.training.module import SummarizationModule

    keep_freed_memory()
    if half and source_BS.is_cpu and not fused:
        network.multiply_attention()
    settings, _ = read_settings(compose("train", ["dataset=zh2ensum"]))
    module = SummarizationModule(network, settings.optim, task=settings.task, lsep_id=1, seed=0)
    module.train()  # Activation checkpointing works in training mode alone.
    optimizer = module.configure_optimizers()["optimizer"]
    loss_of = wrap(_Loss(module))
    tokens = int((target_BT[:, 1:] != 0).sum())
    batch = make_batch(source_BS, {"decoder": target_BT}, tokens, pad_id=0)

    def step() -> None:
        with numbers():
            with torch.autocast(source_BS.device.type, torch.bfloat16, enabled=half):
                loss = loss_of(batch)
            (loss / tokens).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


class _Loss(nn.Module):
    """The loss of a batch as a forward method, which is what DDP knows."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, batch: Any) -> Tensor:
        return self.module.loss(batch, 0.1)


class Torchs(nn.Module):
    """A network of the same sizes, of torch's own layers."""

    def __init__(
        self,
        width: int = WIDTH,
        encoder: tuple[int, int, int] = ENCODER,
        decoder: tuple[int, int, int] = DECODER,
        vocabulary: int = VOCABULARY,
    ) -> None:
        super().__init__()
        sizes = {"d_model": width, "dropout": 0.1, "activation": "gelu", "batch_first": True}
        layers, heads, inner = encoder
        self.words, self.targets = (nn.Embedding(vocabulary, width) for _ in range(2))
        layer = nn.TransformerEncoderLayer(nhead=heads, dim_feedforward=inner, **sizes)
        self.encoder = nn.TransformerEncoder(layer, layers)
        layers, heads, inner = decoder
        layer = nn.TransformerDecoderLayer(
            nhead=heads, dim_feedforward=inner, norm_first=True, **sizes
        )
        self.decoder = nn.TransformerDecoder(layer, layers, nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, source_BS: Tensor, target_BT: Tensor) -> Tensor:
        padding_BS = source_BS == 0
        memory_BSD = self.encoder(self.words(source_BS), src_key_padding_mask=padding_BS)
        causal_TT = nn.Transformer.generate_square_subsequent_mask(
            target_BT.shape[1], device=target_BT.device
        )
        hidden_BTD = self.decoder(
            self.targets(target_BT), memory_BSD, tgt_mask=causal_TT,
            memory_key_padding_mask=padding_BS, tgt_is_causal=True,
        )  # fmt: skip
        return nn.functional.linear(hidden_BTD, self.targets.weight, self.bias)


def torchs(
    source_BS: Tensor, target_BT: Tensor, network: Torchs | None = None
) -> Callable[[], object]:
    """One update of torch's own layers."""
    network = network or Torchs()
    parts = [[*network.words.parameters(), *network.encoder.parameters()]]
    inside = {id(parameter) for parameter in parts[0]}
    parts.append([p for p in network.parameters() if id(p) not in inside])
    adams = [torch.optim.Adam(part, lr=1e-5) for part in parts]
    loss = nn.CrossEntropyLoss(ignore_index=0, label_smoothing=0.1)

    def step() -> None:
        logits_BTV = network(source_BS, target_BT[:, :-1])
        loss(logits_BTV.flatten(0, 1), target_BT[:, 1:].flatten()).backward()
        for adam in adams:
            adam.step()
            adam.zero_grad()

    return step


SYSTEMS: dict[str, Callable[[Tensor, Tensor], Callable[[], object]]] = {
    "ours": ours,
    "ours, recomputing": partial(ours, recompute=True),
    "ours, bf16-mixed": partial(ours, half=True),
    "ours, bf16-mixed, fused attention": partial(ours, half=True, fused=True),
    "torch": torchs,
}
COMPILED = {
    "ours, torch's products": partial(with_torchs_products, compiled=False),
    "the same, compiled": partial(with_torchs_products, compiled=True),
}


def main() -> None:
    """One system where ``--only`` names it, else all of them and their ratio."""
    only = next((word.partition("=")[2] for word in sys.argv if word.startswith("--only=")), None)
    words = [word for word in sys.argv[1:] if not word.startswith("--only=")]
    sys.argv[1:] = words
    asked = arguments(__doc__ or "", batch=4, source=256, target=64, real=64, compiled=0)
    if only is None:
        names = [*SYSTEMS, *(COMPILED if asked.compiled else ())]
        report = {name: _apart(name, words) for name in names}
        # Recomputed operations are not counted as work.
        again = report["ours, recomputing"]
        again["share_of_matmul_rate"] *= report["ours"]["gflop"] / again["gflop"]
        again["gflop"] = report["ours"]["gflop"]
        for name in ("ours", "ours, recomputing", "ours, bf16-mixed"):
            ratio = report[name]["median_s"] / report["torch"]["median_s"]
            report[f"{name} / torch, seconds"] = ratio
        ratio = report["ours, bf16-mixed"]["median_s"] / report["ours"]["median_s"]
        report["ours, bf16-mixed / ours, seconds"] = ratio
        if asked.compiled:
            plain, compiled = (report[name]["median_s"] for name in COMPILED)
            report["compiled / not compiled, seconds"] = compiled / plain
        show(report, asked.json)
        return
    torch.manual_seed(0)
    source_BS = torch.randint(9, VOCABULARY, (asked.batch, asked.source))
    target_BT = torch.randint(9, VOCABULARY, (asked.batch, asked.target + 1))
    for row in range(1, asked.batch):  # The first row has full length.
        target_BT[row, asked.real + 1 :] = 0
    step = {**SYSTEMS, **COMPILED}[only](source_BS, target_BT)
    found: dict[str, Any] = timed(step, asked.repeats)
    memory = peak_memory()  # Before ``matmul_rate`` allocates.
    rate, counted = matmul_rate(), operations(step)
    found |= {
        "peak_gb": memory,
        "gflop": counted / 1e9,
        "matmul_gflops": rate / 1e9,
        "share_of_matmul_rate": counted / found["median_s"] / rate,
        "documents_per_s": asked.batch / found["median_s"],
    }
    print(json.dumps(found))


def _apart(name: str, words: list[str]) -> dict[str, Any]:
    # A new process, whose peak memory is that of one system.
    line = [sys.executable, "-m", "benchmarks.step", f"--only={name}", *words]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
