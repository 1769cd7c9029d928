import signal
from itertools import chain
from types import SimpleNamespace

import pyarrow as pa
import pytest
import torch

from mclas_lightning.config.optim import UpdateShape
from mclas_lightning.data.datamodule import LoaderConfig, SummarizationData
from mclas_lightning.data.store import TokenStore
from mclas_lightning.runs.preemption import SIGNALS
from mclas_lightning.task import Task
from tests.conftest import examples

MCLAS = Task(name="mclas", targets={"decoder": ("mono", "cross")})


@pytest.fixture
def data(encode):
    """The data of the process ``rank`` of ``ranks``."""

    def data(rank: int, ranks: int, workers: int = 0) -> SummarizationData:
        shape = UpdateShape(max_tokens=150, accumulate=3, ranks=ranks)
        made = SummarizationData(
            encode(examples(37), MCLAS), encode(examples(11, 100), MCLAS),
            LoaderConfig(shape=shape, workers=workers), seed=0,
        )  # fmt: skip
        device = SimpleNamespace(root_device=torch.device("cpu"))
        made.trainer = SimpleNamespace(global_rank=rank, strategy=device)  # pyright: ignore
        return made

    return data


def places(loader) -> list[int]:
    return [*chain.from_iterable(batch.places for batch in loader)]


@pytest.mark.parametrize("ranks", [1, 2])
def test_all_processes_together_train_on_every_example_once_in_whole_updates(data, ranks):
    loaders = [data(rank, ranks).train_dataloader() for rank in range(ranks)]
    assert sorted(chain.from_iterable(map(places, loaders))) == list(range(37))
    updates = [[batch.update_tokens for batch in loader] for loader in loaders]
    assert len({len(of_rank) for of_rank in updates}) == 1
    for of_rank in updates:
        assert of_rank == updates[0]
        assert len(of_rank) % 3 == 0
        assert of_rank[::3] == of_rank[1::3] == of_rank[2::3]


def test_training_is_shuffled_and_validation_is_not(data):
    made = data(0, 1)
    train, valid = made.train_dataloader(), made.val_dataloader()
    orders = []
    for epoch in range(2):
        for loader in (train, valid):
            loader.sampler.set_epoch(epoch)
            orders.append(places(loader))
    assert orders[0] != orders[2]
    assert orders[1] == orders[3]
    assert sorted(orders[1]) == list(range(11))


def test_workers_hand_out_the_same_batches_and_stay(data):
    alone, helped = (data(0, 1, workers).train_dataloader() for workers in (0, 1))
    assert [alone.persistent_workers, helped.persistent_workers] == [False, True]
    for ours, theirs in zip(alone, helped, strict=True):
        assert torch.equal(ours.source_BS, theirs.source_BS)
        assert ours.places == theirs.places


def cut_into_parts(store: TokenStore, rows: int) -> TokenStore:
    """The same store in parts of ``rows`` records."""
    (part,) = store.folder.glob("part-*.arrow")
    table = pa.ipc.open_stream(part.read_bytes()).read_all()
    part.unlink()
    for number, start in enumerate(range(0, len(table), rows)):
        path = part.with_name(f"part-{number:05}.arrow")
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table.slice(start, rows))
    return TokenStore(store.path, store.folder)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("consumed", [1, 3, 7])
def test_a_resume_in_an_epoch_of_many_parts_is_an_undisturbed_one(data, consumed, workers):
    undisturbed = list(data(0, 1).train_dataloader())
    made = data(0, 1, workers)
    made.train.store = cut_into_parts(made.train.store, 2)
    loader, built = made.train_dataloader(), []
    if not workers:  # Those that a worker builds are not seen here.
        made.train.ids = lambda rows, ids=made.train.ids: built.append(rows) or ids(rows)
    loader.load_state_dict({"consumed": consumed, "length": len(undisturbed)})
    rest = list(loader)
    assert len(rest) == len(undisturbed) - consumed > 0
    for ours, theirs in zip(rest, undisturbed[consumed:], strict=True):
        assert ours.places == theirs.places
        assert ours.update_tokens == theirs.update_tokens
        assert torch.equal(ours.source_BS, theirs.source_BS)
        assert torch.equal(ours.targets_BT["decoder"], theirs.targets_BT["decoder"])
        assert torch.equal(ours.real_M["decoder"], theirs.real_M["decoder"])
    assert len(built) == (0 if workers else len(rest))


def test_a_worker_leaves_signals_to_the_training(data):
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        data(0, 1).train_dataloader().worker_init_fn(0)
        assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_IGN}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
