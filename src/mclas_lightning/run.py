"""A run's folder: its place is its identity, ``runs/<dataset>/<scenario>/<model>/seed=<n>/``.

config.yaml         the resolved configuration        network.json   sizes of the network
corpus.json         SHA-256 of the corpus's files
environment.json    start, git commit, versions       tokenizer/     vocabulary/{mono,cross}.json
metrics.csv         what training logged              checkpoints/{best,last,previous}.ckpt
training.json       how training ended: it is done    predictions.jsonl
diverged.json       how training ended without success, which nothing goes on from
results.json        scores of the test set: the run is done
"""

import hashlib
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
import yaml

from mclas_lightning.data.dataset import DatasetConfig
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import Vocabulary, load_vocabulary, save_vocabulary
from mclas_lightning.decoding.summarizer import DecodingConfig, Summarizer
from mclas_lightning.errors import InputError
from mclas_lightning.files import make_folder, read_json, sha256, whole_file, write_json
from mclas_lightning.identity import differences, in_words, read_config
from mclas_lightning.model.checkpoint import load_checkpoint, network_state
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.task import Task
from mclas_lightning.typed import typed

Section = TypeVar("Section")

AFTER_DIVERGENCE = (
    "start it under another name (model.name=...) with lower optim.encoder.lr and "
    "optim.decoder.lr, or delete the folder"
)
PACKAGES = ("mclas-lightning", "torch", "pytorch-lightning", "transformers", "tokenizers")


class TrainedSystem(NamedTuple):
    """What a network must be kept with."""

    network: NetworkConfig
    tokenizer: Tokenizer
    vocabulary: Vocabulary


@dataclass(frozen=True)
class Run:
    """Paths and files of one run."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def best(self) -> Path:
        """Checkpoint with the lowest validation loss."""
        return self.folder / "checkpoints" / "best.ckpt"

    @property
    def last(self) -> Path:
        """Checkpoint to resume from, while training."""
        return self.folder / "checkpoints" / "last.ckpt"

    @property
    def previous(self) -> Path:
        """What ``last`` was before, while training."""
        return self.folder / "checkpoints" / "previous.ckpt"

    def resumable(self) -> Path | None:
        """The newest whole checkpoint to resume from, if there is any.

        InputError where there are some, all cut short.
        """
        found = [path for path in (self.last, self.previous) if path.exists()]
        for path in found:
            try:
                load_checkpoint(path)
                return path
            except InputError:
                if path == found[-1]:
                    raise
        return None

    def drop_resumable(self, keep_last: bool) -> None:
        """Remove what an ended training could be resumed from: weights, Adam's moments, counters.

        They are three times as large as the weights that others start from.
        """
        self.previous.unlink(missing_ok=True)
        if not keep_last:
            self.last.unlink(missing_ok=True)

    @property
    def started(self) -> bool:
        """Whether a run is here at all."""
        return (self.folder / "config.yaml").exists()

    @property
    def diverged_path(self) -> Path:
        """Why its training has diverged: there where it has."""
        return self.folder / "diverged.json"

    def check_diverged(self) -> None:
        """InputError where its training has diverged: it is neither resumed nor scored."""
        if not self.diverged_path.exists():
            return
        noted = read_json(self.diverged_path, dict)
        raise InputError(
            f"{self}: its training has diverged at update {noted.get('update')}: "
            f"{noted.get('reason')}; {AFTER_DIVERGENCE}"
        )

    @property
    def trained(self) -> bool:
        """Whether training has ended."""
        return (self.folder / "training.json").exists()

    @property
    def finished(self) -> bool:
        """Whether the test set was scored, too."""
        return (self.folder / "results.json").exists()

    @property
    def config(self) -> dict[str, Any]:
        """The configuration the run was started with."""
        return read_config(self.folder)

    @property
    def id(self) -> str:
        """Names the run elsewhere: the same for as long as the folder lives.

        Other configurations have others, and so has a run that was deleted and started again.
        """
        files = [self.folder / "config.yaml", self.folder / "environment.json"]
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]

    @property
    def updates(self) -> int:
        """Updates of its training; none of a pipeline or an imported checkpoint."""
        path = self.folder / "training.json"
        return read_json(path, dict).get("updates", 0) if path.exists() else 0

    @property
    def task(self) -> Task:
        """What it was trained to write."""
        return self._section("model", task_from)

    @property
    def dataset(self) -> DatasetConfig:
        """What it was trained on."""
        return self._section("dataset", lambda kept: typed("dataset", DatasetConfig, kept))

    @property
    def decoding(self) -> DecodingConfig:
        """How it was scored after its training."""
        return self._section("decoding", lambda kept: typed("decoding", DecodingConfig, kept))

    def _section(self, name: str, read: Callable[[Any], Section]) -> Section:
        try:
            return read(self.config[name])
        except (KeyError, TypeError, InputError) as error:
            raise InputError(
                f"{self}: its config.yaml is not of this version ({name}: {error}); train it again"
            ) from error

    def check_identity(self, config: Mapping[str, Any], sections: Sequence[str] = ()) -> None:
        """InputError where the folder holds a run of another configuration.

        Only ``sections`` of it are compared, where they are given.
        """
        if not (self.folder / "config.yaml").exists():
            return
        advice = "give this one another name (model.name=...), or delete the old one"
        if sections:
            advice = "give the words that it was trained with (optim=... sets lengths, too)"
        if found := differences(self.config, config, sections):
            raise InputError(f"{self}: holds a run with {in_words(found)}; {advice}")

    def changed(self, dataset: DatasetConfig) -> list[Path]:
        """Files of the corpus that are not here, or not those that the run was started with."""
        kept = read_json(self.folder / "corpus.json", dict)
        files = {dataset.file(split): sha for split, sha in kept.items()}
        return [path for path, sha in files.items() if not path.exists() or sha256(path) != sha]

    def check_content(self, dataset: DatasetConfig, tokenizer: Tokenizer | None = None) -> None:
        """InputError where corpus or vocabulary have changed since the run was started."""
        if not self.started:
            return
        for path in self.changed(dataset):
            raise InputError(
                f"{path}: is not the file that {self} was started with; restore it, or delete "
                f"the run"
            )
        if tokenizer and tokenizer.fingerprint != self.network_config()[1]:
            raise InputError(
                f"{dataset.tokenizer}: is not the tokenizer that {self} was started with; restore "
                f"it, or delete the run"
            )

    def start(
        self, config: Mapping[str, Any], files: Iterable[Path], system: TrainedSystem | None = None
    ) -> None:
        """Write all that is known before the first update; config.yaml last, it marks a run.

        ``files`` are those of the corpus that it depends on; a pipeline has no ``system``.
        """
        make_folder(self.folder)
        if (self.folder / "config.yaml").exists():
            return
        if system is not None:
            self._write_system(system)
        started = datetime.now(UTC).isoformat()
        write_json(self.folder / "environment.json", {"started": started, **environment()})
        write_json(self.folder / "corpus.json", {path.stem: sha256(path) for path in files})
        with whole_file(self.folder / "config.yaml") as file:
            yaml.safe_dump(dict(config), file, allow_unicode=True, sort_keys=False)

    def _write_system(self, system: TrainedSystem) -> None:
        network, tokenizer, vocabulary = system
        make_folder(self.folder / "checkpoints")
        tokenizer.save(self.folder / "tokenizer")
        save_vocabulary(self.folder / "vocabulary", vocabulary)
        write_json(
            self.folder / "network.json", {**asdict(network), "vocabulary": tokenizer.fingerprint}
        )

    def network_config(self) -> tuple[NetworkConfig, str]:
        """The network's sizes and the fingerprint of its vocabulary."""
        path = self.folder / "network.json"
        try:
            sizes = read_json(path, dict)
            config = NetworkConfig(
                encoder=sizes["encoder"],
                decoder=DecoderConfig(**sizes["decoder"]),
                decoders=tuple(sizes["decoders"]),
                own_embeddings=tuple(sizes["own_embeddings"]),
                sentence_id=sizes["sentence_id"],
                alternating=sizes.get("alternating", True),
            )
            return config, sizes["vocabulary"]
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: not a network of this version ({error})") from error

    def state(self) -> dict[str, torch.Tensor]:
        """The network's tensors at the best validation loss."""
        return network_state(load_checkpoint(self.best))

    def summarizer(self) -> Summarizer:
        """The trained network, ready to summarize."""
        dataset, task = self.dataset, self.task
        tokenizer = Tokenizer.load(str(self.folder / "tokenizer"))
        network = Seq2Seq(self.network_config()[0])
        network.load_state_dict(self.state())
        apart = network.config.sentence_id is not None and task.source == "document"
        return Summarizer(
            network=network,
            task=task,
            tokenizer=tokenizer,
            vocabulary=load_vocabulary(self.folder / "vocabulary", task.sides, len(tokenizer)),
            languages={side: dataset.language(side) for side in task.sides},
            max_source=dataset.max_source,
            sentences=dataset.source if apart else None,
        )


def task_from(model: Mapping[str, Any]) -> Task:
    """The task of a file of ``conf/model/``; InputError for a pipeline's."""
    if "targets" not in model:
        raise InputError(f"model '{model['name']}' is a pipeline and has no network of its own")
    targets = {name: tuple(sides) for name, sides in model["targets"].items()}
    return Task(
        name=model["name"],
        source=model["source"],
        targets=targets,
        bos_after_lsep=model["bos_after_lsep"],
    )


def ms_run(folder: str, seed: int, word: str) -> Run:
    """The trained ms run in ``folder``, or the one of this seed in its ``seed=<n>`` subfolder.

    InputError, naming ``word`` of the command line, where there is none.
    """
    of_seed = Path(folder, f"seed={seed}")
    run = Run(of_seed if of_seed.is_dir() else Path(folder))
    where = f"{word}={run}"
    if not (run.folder / "config.yaml").exists():
        raise InputError(f"{where}: no run here; train one first with model=ms and the same seed")
    run.check_diverged()
    if not run.trained:
        raise InputError(f"{where}: its training has not ended; run the same mclas-train again")
    task = run.task
    if (task.sides, len(task.targets), task.source) != (("mono",), 1, "document"):
        raise InputError(f"{where}: is a run of model '{task.name}'; give one of model=ms")
    return run


def environment() -> dict[str, Any]:
    """What the results may depend on beside the configuration."""
    return {
        "git_commit": _git("rev-parse", "HEAD"),
        "git_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda if torch.cuda.is_available() else None,
        "packages": {name: version(name) for name in PACKAGES},
    }


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
