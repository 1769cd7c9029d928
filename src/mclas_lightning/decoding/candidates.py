"""Candidates of documents, and the methods of every system that finds them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.example import Side

Summaries = dict[Side, str]

Progress = Callable[[int], object]  # is called with the size of each batch done


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The summaries of one document, and their score.

    The score is the log-probability of the target, normalized by its length (``Beam.normalize``),
    or the sum of those of the targets of several decoders.
    """

    summaries: Summaries
    score: float


class Search(Protocol):
    """``n_best`` of a system that was prepared."""

    def __call__(
        self, texts: Sequence[str], num_best: int, progress: Progress = ...
    ) -> list[list[Candidate]]: ...


class System(ABC):
    """A system that summarizes."""

    @abstractmethod
    def prepared(self, config: DecodingConfig) -> AbstractContextManager[Search]:
        """``n_best`` of one ``config``: copies, slices and packed weights are made once."""

    def n_best(
        self,
        texts: Sequence[str],
        config: DecodingConfig,
        num_best: int,
        progress: Progress = lambda done: None,
    ) -> list[list[Candidate]]:
        """The ``num_best`` best candidates of each text, or as many as there are, best first."""
        with self.prepared(config) as search:
            return search(texts, num_best, progress)

    def summarize(
        self, texts: Sequence[str], config: DecodingConfig, progress: Progress = lambda done: None
    ) -> list[Summaries]:
        """The summaries of each text."""
        return [best.summaries for best, *_ in self.n_best(texts, config, 1, progress)]
