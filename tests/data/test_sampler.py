import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import Dataset

from mclas_lightning.config.optim import Crowding, UpdateShape
from mclas_lightning.data.sampler import BUCKET, Lengths, ResumableLoader, UpdateSampler
from mclas_lightning.errors import InputError


class Batches(Dataset):
    """A data set whose items are the micro-batches themselves."""

    def __getitem__(self, batch):
        return batch


def samplers(lengths, shape, epoch=0, seed=0, **more):
    """A sampler for each rank; a budget of the released code counts [BOS], too."""
    predicted = [target for _, target in lengths]
    counted = [(source, target + (shape.unit == "released")) for source, target in lengths]
    made = [
        UpdateSampler(
            Lengths(*(np.array(column) for column in (*zip(*counted, strict=True), predicted))),
            shape,
            rank=rank,
            seed=seed,
            **more,
        )
        for rank in range(shape.ranks)
    ]
    for sampler in made:
        sampler.set_epoch(epoch)
    return made


def of_lengths(least: int) -> st.SearchStrategy:
    pair = st.tuples(st.integers(2, 90), st.integers(1, 40))
    return st.lists(pair, min_size=least, max_size=80)


LENGTHS = of_lengths(1)


@settings(max_examples=60)
@given(st.data(), st.integers(30, 400), st.integers(1, 4), st.integers(1, 3), st.integers(0, 5))
def test_an_epoch_is_whole_updates_of_every_example_once(data, budget, accumulate, ranks, epoch):
    lengths = data.draw(of_lengths(2 * accumulate * ranks))
    shape = UpdateShape(max_tokens=budget, accumulate=accumulate, ranks=ranks)
    of_rank = [list(sampler) for sampler in samplers(lengths, shape, epoch)]
    numbers = {len(batches) for batches in of_rank}
    assert numbers == {len(sampler) for sampler in samplers(lengths, shape)}
    (number,) = numbers
    assert number % accumulate == 0
    seen = sorted(i for batches in of_rank for batch in batches for i in batch.indices)
    assert seen == list(range(len(lengths)))
    for start in range(0, number, accumulate):
        update = [b for batches in of_rank for b in batches[start : start + accumulate]]
        tokens = sum(lengths[i][1] for batch in update for i in batch.indices)
        assert {batch.update_tokens for batch in update} == {tokens}


@given(LENGTHS, st.integers(30, 400))
def test_no_micro_batch_of_several_exceeds_the_budget(lengths, budget):
    (sampler,) = samplers(lengths, UpdateShape(max_tokens=budget))
    for indices, _ in sampler:
        rows = [lengths[i] for i in indices]
        width = max(source for source, _ in rows) + max(target for _, target in rows)
        assert len(rows) == 1 or len(rows) * width <= budget


@given(
    LENGTHS,
    st.sampled_from(["target", "released"]),
    st.integers(30, 400),
    st.none() | st.integers(1, 6),
    st.integers(0, 300),
)
def test_a_budget_of_targets_is_cut_as_the_released_code_does(lengths, unit, budget, crowd, more):
    crowding = Crowding(documents=crowd, tokens=more) if crowd else None
    shape = UpdateShape(max_tokens=budget, unit=unit, crowding=crowding)
    (sampler,) = samplers(lengths, shape)
    batches = sorted(sorted(lengths[i][1] for i in indices) for indices, _ in sampler)
    greedy: list[list[int]] = [[]]
    for _, target in sorted(lengths, key=lambda pair: (pair[1], pair[0])):
        number = len(greedy[-1]) + 1
        width = target + (unit == "released")  # len(tgt) there has [BOS].
        if number > 1 and number * width + (more if crowd and number > crowd else 0) > budget:
            greedy.append([])
        greedy[-1].append(target)
    assert batches == sorted(greedy)


def test_a_micro_batch_holds_similar_lengths():
    lengths = [(2 + 7 * i % 83, 1 + 5 * i % 37) for i in range(300)]
    (sampler,) = samplers(lengths, UpdateShape(max_tokens=700))
    sources = [[lengths[i][0] for i in indices] for indices, _ in sampler]
    padding = sum(max(rows) * len(rows) - sum(rows) for rows in sources)
    assert padding < 0.15 * sum(map(sum, sources))
    assert max(max(rows) - min(rows) for rows in sources if len(rows) > 1) <= 2 * BUCKET


def test_epochs_differ_and_a_seed_repeats():
    lengths = [(10, 5)] * 50
    shape = UpdateShape(max_tokens=160)
    epochs = [list(samplers(lengths, shape, epoch)[0]) for epoch in (0, 1, 0)]
    assert epochs[0] == epochs[2] != epochs[1]
    assert list(samplers(lengths, shape, 0, seed=1)[0]) != epochs[0]


def test_batches_come_by_chance_or_from_the_shortest_in_every_epoch_alike():
    lengths = [(10 + i % 40, 5) for i in range(80)]
    shape = UpdateShape(max_tokens=300)

    def shortest(batches):
        return [min(-(-lengths[i][0] // BUCKET) for i in indices) for indices, _ in batches]

    by_chance = list(samplers(lengths, shape)[0])
    assert shortest(by_chance) != sorted(shortest(by_chance))
    in_order, later = (list(samplers(lengths, shape, e, shuffle=False)[0]) for e in (0, 3))
    assert shortest(in_order) == sorted(shortest(in_order))
    assert in_order == later


def test_order_is_chance_among_lengths_of_one_step():
    lengths = [(BUCKET, 1 + i % BUCKET) for i in range(40)]
    targets = [
        {lengths[i][1] for i in indices}
        for indices, _ in samplers(lengths, UpdateShape(max_tokens=5 * 2 * BUCKET))[0]
    ]
    assert max(map(len, targets)) > 2


@pytest.mark.parametrize(
    ("lengths", "accumulate", "batches"),
    [
        # The largest is cut.
        ([(BUCKET, BUCKET)] * 16 + [(7 * BUCKET, BUCKET)] * 4, 3, [[0] * 8, [0] * 8, [1] * 4]),
        # All are cut to one example each.
        ([(14 * BUCKET, BUCKET)] * 2 + [(15 * BUCKET, BUCKET)] * 2, 4, [[0], [0], [1], [1]]),
        # One example each is one batch too few: the two shortest are joined.
        ([(n * BUCKET, BUCKET) for n in (24, 23, 22, 21, 20)], 2, [[0], [1], [2], [3, 4]]),
    ],
)
def test_batches_are_cut_or_joined_to_whole_updates(lengths, accumulate, batches):
    shape = UpdateShape(max_tokens=16 * 2 * BUCKET, accumulate=accumulate)
    (sampler,) = samplers(lengths, shape)
    kinds = [*dict.fromkeys(lengths)]
    found = [sorted(kinds.index(lengths[i]) for i in indices) for indices, _ in sampler]
    assert sorted(found) == batches


def test_more_buckets_than_sixteen_bits_hold_are_kept_apart():
    lengths = [(8 * BUCKET, BUCKET), (2**10 * BUCKET, 64 * BUCKET)] * 20
    (sampler,) = samplers(lengths, UpdateShape(max_tokens=2**10 * BUCKET + 64 * BUCKET))
    assert sorted(len({lengths[i] for i in indices}) for indices, _ in sampler) == [1] * 21


@pytest.mark.parametrize("ranks", [1, 2])
def test_an_epoch_may_start_after_any_of_its_micro_batches(ranks):
    lengths = [(10 + i % 30, 5 + i % 7) for i in range(60)]
    for sampler in samplers(lengths, UpdateShape(max_tokens=160, accumulate=3, ranks=ranks), 3):
        whole = list(sampler)
        for first in range(len(whole) + 1):
            sampler.first = first
            assert list(sampler) == whole[first:]


def test_too_few_examples_for_one_update_are_named():
    with pytest.raises(InputError, match="3 examples are too few for one update of 4"):
        samplers([(9, 5)] * 3, UpdateShape(max_tokens=100, accumulate=4))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_goes_on_where_it_was(workers):
    lengths = [(10 + i % 30, 5) for i in range(60)]

    def loader():
        (sampler,) = samplers(lengths, UpdateShape(max_tokens=160), epoch=3)
        return ResumableLoader(
            Batches(), batch_size=None, sampler=sampler, num_workers=workers, collate_fn=list
        )

    whole = list(loader())
    first = loader()
    some = [batch for batch, _ in zip(iter(first), range(4), strict=False)]
    second = loader()
    second.load_state_dict(first.state_dict() | {"consumed": 4})
    assert some + list(second) == whole
    assert list(second) == whole  # The next epoch is not cut.
    assert second.state_dict() == {"consumed": len(whole), "length": len(whole)}
    third = loader()
    third.load_state_dict(second.state_dict())
    with pytest.raises(InputError, match="resume on the same number of devices"):
        third.load_state_dict({"consumed": 4, "length": len(whole) + 1})
    assert list(third) == whole  # Saved at the end of an epoch: the next one is whole.
