"""Training of the unified decoder and its baselines.

Shape letters: B documents, T target length, D width, M real target positions, m some of them,
V vocabulary.
"""

import hashlib
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torchmetrics import SumMetric

from mclas_lightning.config.optim import OptimConfig
from mclas_lightning.data.batch import Batch
from mclas_lightning.model.decoder import DecoderLayer
from mclas_lightning.model.loss import label_smoothed_kl
from mclas_lightning.model.seq2seq import Seq2Seq
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


class SummarizationModule(pl.LightningModule):
    """A network and its loss: equations 1, 2 and 4 are one sum over decoders."""

    def __init__(self, network: Seq2Seq, config: OptimConfig, *, seed: int) -> None:
        super().__init__()
        self.network, self.config, self.seed = network, config, seed
        # Left to themselves they would drop a loss that is nan, and hide that training diverged.
        self.val_loss, self.val_right, self.val_tokens = (
            SumMetric(nan_strategy="disable") for _ in range(3)
        )
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
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed dropout by position, so that a resumed run draws what it would have drawn."""
        place = f"{self.seed}:{self.current_epoch}:{batch_idx}:{self.global_rank}"
        torch.manual_seed(int.from_bytes(hashlib.sha256(place.encode()).digest()[:8], "big"))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The micro-batch's part of the loss per target token of the whole update."""
        loss, _, _ = self.losses(batch, self.config.label_smoothing)
        share = loss / batch.update_tokens
        self.update_loss = self.update_loss.to(share.device) + share.detach()
        # Lightning divides by the number of micro-batches, DDP by that of ranks; we by tokens.
        return share * self.trainer.accumulate_grad_batches * self.trainer.world_size

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Log every so many updates."""
        # Not by self.log, whose rows come after the hook that saves: they would be missing in
        # metrics.csv where a run is killed between the two.
        assert isinstance(optimizer, EncoderDecoderOptimizer)
        every = self.trainer.log_every_n_steps  # pyright: ignore[reportAttributeAccessIssue]
        if (self.global_step + 1) % every == 0:
            loss = self.trainer.strategy.reduce(self.update_loss, reduce_op="sum")
            rates = {f"lr/{name}": p.param_groups[0]["lr"] for name, p in optimizer.parts.items()}
            for logger in self.loggers:
                logger.log_metrics({"train/loss": float(loss), **rates}, step=self.global_step)
        self.update_loss = torch.zeros_like(self.update_loss)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Lightning's, which keeps gradients until the next backward pass; none is kept here."""
        super().optimizer_step(*args, **kwargs)
        self.zero_grad()

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Negative log-likelihood and accuracy of every target token, the true ones before it."""
        loss, right, tokens = self.losses(batch, 0.0)
        self.val_loss.update(loss)
        self.val_right.update(right)
        self.val_tokens.update(tokens)
        return loss

    def on_validation_epoch_end(self) -> None:
        """Means over the tokens of all ranks."""
        tokens = self.val_tokens.compute()
        loss = self.val_loss.compute() / tokens
        self.log("val/loss", loss)
        self.log("val/perplexity", loss.exp())
        self.log("val/accuracy", self.val_right.compute() / tokens)
        for metric in (self.val_loss, self.val_right, self.val_tokens):
            metric.reset()

    def losses(self, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor, int]:
        """Summed loss, number of right tokens and number of tokens, over all decoders."""
        memory = self.network.encode(batch.source_BS)
        loss, right = torch.zeros((2,), device=self.device)
        tokens = 0
        for decoder, target_BT in batch.targets_BT.items():
            hidden_BTD = self.network.hidden(decoder, target_BT[:, :-1], memory)
            # The output layer is the widest of all: spare it the padding.
            hidden_MD = hidden_BTD.flatten(0, 1)[batch.real_M[decoder]]
            gold_M = target_BT[:, 1:].flatten()[batch.real_M[decoder]]
            tokens += len(gold_M)
            if self.training:
                loss = loss + self.network.loss(hidden_MD, gold_M, smoothing)
                continue
            for hidden_mD, gold_m in zip(
                hidden_MD.split(VALIDATION_ROWS), gold_M.split(VALIDATION_ROWS), strict=True
            ):
                logits_mV = self.network.logits(hidden_mD)
                pad_id = self.network.pad_id
                loss = loss + label_smoothed_kl(
                    logits_mV, gold_m, smoothing=smoothing, pad_id=pad_id
                )
                right = right + (logits_mV.argmax(1) == gold_m).sum()
        return loss, right, tokens
