"""Training of the unified decoder and its baselines.

Shape letters: B documents, T target length, D width, M real target positions, m some of them,
V vocabulary, S sides that the system writes, K sums.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.nn.functional import cross_entropy
from torchmetrics import Metric

from mclas_lightning.config.optim import OptimConfig
from mclas_lightning.data.batch import Batch
from mclas_lightning.model.decoder import DecoderLayer
from mclas_lightning.model.seq2seq import Seq2Seq
from mclas_lightning.task import Task
from mclas_lightning.training.optim import EncoderDecoderOptimizer, build_optimizer, build_schedule


def shard(network: Seq2Seq, mesh: DeviceMesh) -> None:
    """Split each layer, then what is left; a layer is whole only while it computes.

    ``mesh`` is nodes x devices of a node: each node holds the whole, its devices a part each.
    """
    for layer in network.layers():
        fully_shard(layer, mesh=mesh)
        if isinstance(layer, DecoderLayer):
            register_fsdp_forward_method(layer, "cross_keys_values")
    fully_shard(network, mesh=mesh)
    for method in ("encode", "hidden", "logits", "loss"):
        register_fsdp_forward_method(network, method)


VALIDATION_ROWS = 256  # positions of a validation whose logits are held at a time


def monitored(monitor: str, sides: Sequence[str]) -> str:
    """The logged loss that chooses the best checkpoint and ends the training.

    ``monitor`` is a word of ``config.optim.MONITORS``; a system without S^B goes by what it writes.
    """
    return "val/loss_cross" if monitor == "cross" and "cross" in sides else "val/loss"


class SideSums(Metric):
    """Sums over the target tokens of each side, and over all ranks: see ``validation_step``."""

    sums_SK: Tensor

    def __init__(self, num_sides: int) -> None:
        super().__init__()
        self.add_state("sums_SK", torch.zeros(num_sides, 3), dist_reduce_fx="sum")

    def update(self, sums_SK: Tensor) -> None:
        """Add those of a batch."""
        self.sums_SK += sums_SK

    def compute(self) -> Tensor:
        """All sums, ``[S, 3]``."""
        return self.sums_SK


class SummarizationModule(pl.LightningModule):
    """A network and its loss: equations 1, 2 and 4 are one sum over decoders."""

    def __init__(
        self, network: Seq2Seq, config: OptimConfig, *, task: Task, lsep_id: int, seed: int
    ) -> None:
        super().__init__()
        self.network, self.config, self.seed = network, config, seed
        self.task, self.lsep_id = task, lsep_id
        self.sums = SideSums(len(task.sides))
        self.update_loss = torch.zeros(())

    def configure_model(self) -> None:
        """Under trainer=fsdp, split the network; Lightning may call this more than once."""
        mesh = self.device_mesh
        if mesh is not None and not isinstance(self.network, FSDPModule):
            shard(self.network, mesh)

    def configure_optimizers(self) -> dict:
        """Both optimizers as one, both schedules as one."""
        encoder, decoder = self.config.encoder, self.config.decoder
        optimizer = build_optimizer(
            self.network.encoder_parameters(),
            self.network.decoder_parameters(),
            (encoder.lr, decoder.lr),
            betas=(self.config.beta1, self.config.beta2),
            eps=self.config.eps,
        )
        schedule = build_schedule(optimizer, (encoder.warmup, decoder.warmup))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed dropout by position, so that a resumed run draws what it would have drawn."""
        place = f"{self.seed}:{self.current_epoch}:{batch_idx}:{self.global_rank}"
        torch.manual_seed(int.from_bytes(hashlib.sha256(place.encode()).digest()[:8], "big"))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The micro-batch's part of the loss per target token of the whole update."""
        share = self.loss(batch, self.config.label_smoothing) / batch.update_tokens
        self.update_loss = self.update_loss.to(share.device) + share.detach()
        # Lightning divides by the number of micro-batches, DDP by that of ranks; we by tokens.
        return share * self.trainer.accumulate_grad_batches * self.trainer.world_size

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Log every so many updates."""
        # Not by self.log, whose rows come after the hook that saves: they would be missing in
        # metrics.csv where a run is killed between the two.
        assert isinstance(optimizer, EncoderDecoderOptimizer)
        every = self.trainer.log_every_n_steps  # pyright: ignore[reportAttributeAccessIssue]
        if every and (self.global_step + 1) % every == 0:
            loss = self.trainer.strategy.reduce(self.update_loss, reduce_op="sum")
            rates = {f"lr/{name}": p.param_groups[0]["lr"] for name, p in optimizer.parts.items()}
            for logger in self.loggers:
                logger.log_metrics({"train/loss": float(loss), **rates}, step=self.global_step)
        self.update_loss = torch.zeros_like(self.update_loss)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Lightning's, which keeps gradients until the next backward pass; none is kept here."""
        super().optimizer_step(*args, **kwargs)
        self.zero_grad()

    def loss(self, batch: Batch, smoothing: float) -> Tensor:
        """The loss of every target token, summed over all decoders."""
        return torch.stack(
            [
                self.network.loss(hidden_MD, gold_M, smoothing)
                for _, hidden_MD, gold_M in self._decoded(batch)
            ]
        ).sum()

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The summed negative log-likelihood of a batch's target tokens, by teacher forcing.

        By side are summed: the negative log-likelihood, the tokens that the network finds most
        likely, and the tokens. The [LSEP] or [EOS] that ends a summary is a token of its side.
        """
        sums_SK = torch.zeros_like(self.sums.sums_SK)
        for decoder, hidden_MD, gold_M in self._decoded(batch):
            before_BT = batch.targets_BT[decoder][:, :-1]
            ended_M = (before_BT == self.lsep_id).cumsum(1).flatten()[batch.real_M[decoder]]
            of_token_MK = torch.cat([*map(self._of_tokens, *_chunks(hidden_MD, gold_M))])
            for number, side in enumerate(self.task.targets[decoder]):
                of_others_M1 = (ended_M != number)[:, None]
                sums = of_token_MK.masked_fill(of_others_M1, 0).sum(0)
                sums_SK[self.task.sides.index(side)] += sums
        self.sums.update(sums_SK)
        return sums_SK[:, 0].sum()

    def _of_tokens(self, hidden_mD: Tensor, gold_m: Tensor) -> Tensor:
        """``[m, 3]``: what ``validation_step`` sums."""
        logits_mV = self.network.logits(hidden_mD).float()
        nll_m = cross_entropy(logits_mV, gold_m, reduction="none")
        return torch.stack([nll_m, logits_mV.argmax(1) == gold_m, torch.ones_like(nll_m)], 1)

    def on_validation_epoch_end(self) -> None:
        """Means over the tokens of all ranks: of all tokens, and of each side's."""
        sums_SK = self.sums.compute()
        of_sides = {f"_{side}": sums for side, sums in zip(self.task.sides, sums_SK, strict=True)}
        for name, (loss, right, tokens) in {"": sums_SK.sum(0), **of_sides}.items():
            self.log(f"val/loss{name}", loss / tokens)
            self.log(f"val/perplexity{name}", (loss / tokens).exp())
            self.log(f"val/accuracy{name}", right / tokens)
        self.sums.reset()

    def _decoded(self, batch: Batch) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Of each decoder: its name, its last hidden states, and the tokens that they predict."""
        memory = self.network.encode(batch.source_BS)
        for decoder, target_BT in batch.targets_BT.items():
            hidden_BTD = self.network.hidden(decoder, target_BT[:, :-1], memory)
            # The output layer is the widest of all: spare it the padding.
            real_M = batch.real_M[decoder]
            yield decoder, hidden_BTD.flatten(0, 1)[real_M], target_BT[:, 1:].flatten()[real_M]


def _chunks(*tensors: Tensor) -> list[tuple[Tensor, ...]]:
    return [tensor.split(VALIDATION_ROWS) for tensor in tensors]
