"""Training and validation data of a run, as Lightning asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytorch_lightning as pl

from mclas_lightning.data.batch import EncodedExamples, encode
from mclas_lightning.data.example import Example
from mclas_lightning.data.sampler import ResumableLoader, UpdateSampler, UpdateShape
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.task import Task


@dataclass(frozen=True, kw_only=True)
class LoaderConfig:
    """How examples are encoded and handed out."""

    max_source: int
    max_summary: int
    max_tokens: int
    workers: int


class SummarizationData(pl.LightningDataModule):
    """Micro-batches of a scenario's examples, and those of the validation set."""

    def __init__(
        self,
        train: Sequence[Example],
        valid: Sequence[Example],
        task: Task,
        tokenizer: Tokenizer,
        config: LoaderConfig,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.examples = {"train": train, "valid": valid}
        self.task, self.tokenizer, self.config, self.seed = task, tokenizer, config, seed
        self.encoded: dict[str, EncodedExamples] = {}

    def setup(self, stage: str) -> None:
        """Token ids of all examples; done once."""
        for split, examples in self.examples.items():
            if split not in self.encoded:
                self.encoded[split] = encode(
                    examples,
                    self.task,
                    self.tokenizer,
                    max_source=self.config.max_source,
                    max_summary=self.config.max_summary,
                )

    def train_dataloader(self) -> ResumableLoader:
        """Shuffled updates."""
        accumulate = self._trainer.accumulate_grad_batches
        return self._loader("train", accumulate=accumulate, shuffle=True)

    def val_dataloader(self) -> ResumableLoader:
        """Every validation example once."""
        return self._loader("valid", accumulate=1, shuffle=False)

    def _loader(self, split: str, *, accumulate: int, shuffle: bool) -> ResumableLoader:
        data = self.encoded[split]
        shape = UpdateShape(
            max_tokens=self.config.max_tokens,
            accumulate=accumulate,
            ranks=self._trainer.world_size,
        )
        sampler = UpdateSampler(
            data.source_lengths,
            data.target_lengths,
            shape,
            rank=self._trainer.global_rank,
            seed=self.seed,
            shuffle=shuffle,
        )
        return ResumableLoader(
            data,
            batch_size=None,
            sampler=sampler,
            num_workers=self.config.workers,
            persistent_workers=self.config.workers > 0,
            pin_memory=self._trainer.strategy.root_device.type == "cuda",
        )

    @property
    def _trainer(self) -> pl.Trainer:
        assert self.trainer is not None
        return self.trainer
