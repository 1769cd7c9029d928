import copy
import dataclasses
from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch

from mclas_lightning.data.batch import pad
from mclas_lightning.decoding import beam as beam_module
from mclas_lightning.decoding import step as step_module
from mclas_lightning.decoding.beam import Beam, n_best_search
from mclas_lightning.decoding.output import OutputLayer
from mclas_lightning.decoding.processors import BLOCKED
from mclas_lightning.decoding.step import DecoderStep
from mclas_lightning.decoding.summarizer import TRIM_BATCHES, NetworkSummarizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES
from mclas_lightning.model.linear import Linear
from tests.conftest import examples
from tests.decoding.conftest import DECODING, RELEASED, TASKS, make_summarizer
from tests.decoding.test_beam import textbook
from tests.waits import as_on_a_gpu, host_waits


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_whole_decode_never_leaves_its_sides_vocabulary(task, seed, tokenizer):
    summarizer = make_summarizer(task, tokenizer, seed)
    special = tokenizer.special
    sources = tokenizer.encode_sources([e.document for e in examples(11)], 41)
    memory = summarizer.network.encode(torch.tensor([ids[:9] for ids in sources]))
    for decoder, sides in task.targets.items():
        for ids in search(summarizer, decoder, memory, DECODING):
            assert ids.count(special.lsep) == len(sides) - 1
            assert ids.count(special.eos) == 1 == ids[-1:].count(special.eos)
            for side, written in task.split(decoder, ids, special).items():
                assert set(written) <= set(summarizer.vocabulary[side])
                assert DECODING.min_length <= len(written) <= DECODING.max_length


def prepared(
    summarizer, decoder, memory, config, num_best=1
) -> tuple[DecoderStep, int, Beam, list]:
    """What a search of the encoded documents is given."""
    sides = summarizer.task.targets[decoder]
    output = summarizer._output(summarizer.network, sides, config)
    step = DecoderStep(summarizer.network, decoder, memory, output)
    processors = summarizer._processors(sides, config, output.shortlists)
    beam = dataclasses.replace(summarizer._beam(len(sides), config), num_best=num_best)
    return step, len(memory.hidden_BSD), beam, processors


def search(summarizer, decoder, memory, config) -> list[tuple[int, ...]]:
    """The best hypothesis of each document."""
    return [best.ids for best, *_ in n_best_search(*prepared(summarizer, decoder, memory, config))]


@pytest.mark.parametrize(
    ("num", "said"),
    [
        (0, "n-best: expected 1 or more, found 0$"),
        (6, "n-best: expected from 1 to the 5 of decoding.beam, found 6; give decoding.beam=6"),
    ],
)
def test_as_many_candidates_as_the_beam_is_wide_can_be_asked_for(tokenizer, num, said):
    summarizer = make_summarizer(TASKS[0], tokenizer, 0)
    with pytest.raises(InputError, match=said):
        summarizer.n_best(["a storm"], dataclasses.replace(RELEASED, beam=5), num)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_decoding_as_released_counts_the_whole_target_and_masks_its_last_summary(
    task, seed, tokenizer
):
    summarizer = make_summarizer(task, tokenizer, seed)
    special = tokenizer.special
    sources = tokenizer.encode_sources([e.document for e in examples(11)], 41)
    memory = summarizer.network.encode(torch.tensor([ids[:9] for ids in sources]))
    unmasked: set[int] = set()
    for decoder, sides in task.targets.items():
        for ids in search(summarizer, decoder, memory, RELEASED):
            assert RELEASED.min_length < len(ids) <= RELEASED.max_length
            assert special.eos not in ids[:-1]
            assert ids[-1] == special.eos or len(ids) == RELEASED.max_length
            assert ids.count(special.lsep) == len(sides) - 1
            after = [b for a, b in pairwise(ids) if a == special.lsep]
            assert (special.bos in ids) == (task.bos_after_lsep and len(sides) > 1)
            assert not task.bos_after_lsep or set(after) <= {special.bos}
            written = task.split(decoder, ids, special)
            assert all(written.values())
            assert set(written.get("cross", ())) <= set(summarizer.vocabulary["cross"])
            unmasked |= set(written.get("mono", ()))
    assert not unmasked & set(special)
    free = {*range(len(tokenizer))} - {*special}
    assert set(summarizer._may_write("mono", RELEASED)) == free
    assert set(summarizer._may_write("mono", DECODING)) == set(summarizer.vocabulary["mono"])
    unmasked_too = dataclasses.replace(RELEASED, mask="none")
    assert all(set(summarizer._may_write(side, unmasked_too)) == free for side in SIDES)


class Plain:
    """A decoder without caches, slices or shared memory: each prefix is run through it whole."""

    def __init__(
        self, summarizer: NetworkSummarizer, decoder: str, source: list[int], config
    ) -> None:
        self.summarizer, self.decoder, self.config = summarizer, decoder, config
        self.sides = summarizer.task.targets[decoder]
        self.memory = summarizer.network.encode(torch.tensor([source]))
        self.vocab = len(summarizer.tokenizer)

    def log_p(self, document: int, prefix: tuple[int, ...]) -> torch.Tensor:
        special, config = self.summarizer.tokenizer.special, self.config
        network, task = self.summarizer.network, self.summarizer.task
        hidden_TD = network.hidden(self.decoder, torch.tensor([prefix]), self.memory)[0]
        logits_V = network.logits(hidden_TD)[-1].detach()
        if task.bos_after_lsep and prefix[-1] == special.lsep:
            price = 0.0 if config.renormalize else logits_V.log_softmax(0)[special.bos]
            return torch.where(torch.arange(self.vocab) == special.bos, price, -torch.inf)
        segment = prefix.count(special.lsep)
        current = prefix[prefix.index(special.lsep) :] if segment else prefix
        written = sum(i not in (special.bos, special.lsep) for i in current)
        last = segment == len(self.sides) - 1
        end = special.eos if last else special.lsep
        allowed = {*self.summarizer._may_write(self.sides[segment], config), end}
        kept = torch.tensor([i in allowed for i in range(self.vocab)])
        if config.renormalize:
            log_p = logits_V.masked_fill(~kept, -torch.inf).log_softmax(0)
        else:
            log_p = logits_V.log_softmax(0).masked_fill(~kept, -torch.inf)
        shortest, longest = config.min_length, config.max_length
        if config.lengths == "target":
            later = (len(self.sides) - 1) * (3 if task.bos_after_lsep else 2)
            shortest, longest = 1, config.max_length - later
        too_short = config.lengths == "target" and last and len(prefix) <= config.min_length
        if written < shortest or too_short:
            log_p[end] = -torch.inf
        if written >= longest:
            log_p = log_p.masked_fill(torch.arange(self.vocab) != end, -torch.inf)
        if config.block_trigrams == "released":
            words = self.words(prefix)
            trigrams = [words[i : i + 3] for i in range(len(words) - 2)]
            return log_p + BLOCKED * (trigrams[-1:] != [] and trigrams[-1] in trigrams[:-1])
        begun, written = self.words(current), self.words((*current, end))[:-1]
        for i in range(len(begun) - 2):
            opens = begun[i + 2][0]
            if begun[i : i + 2] == written[-2:] and opens in allowed:
                log_p[opens] += BLOCKED
        return log_p

    def words(self, ids: Sequence[int]) -> list[tuple[int, ...]]:
        """The words of these pieces; punctuation is a word, of the stories that have none."""
        found: list[tuple[int, ...]] = []
        for piece in ids:
            name = str(self.summarizer.tokenizer.backend.convert_ids_to_tokens(piece))
            if name.startswith("##") and found:
                found[-1] = (*found[-1], piece)
            else:
                found.append((piece,))
        return found


@pytest.mark.parametrize("config", [DECODING, RELEASED], ids=["paper", "released"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_decoding_is_beam_search_in_plain_python(task, config, tokenizer):
    summarizer = make_summarizer(task, tokenizer, seed=4)
    sources = tokenizer.encode_sources([e.document for e in examples(4)], 41)
    memory = summarizer.network.encode(pad(sources, tokenizer.special.pad))
    for decoder, sides in task.targets.items():
        found = search(summarizer, decoder, memory, config)
        beam = summarizer._beam(len(sides), config)
        for source, ids in zip(sources, found, strict=True):
            assert ids == textbook(Plain(summarizer, decoder, source, config), 0, beam)


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("config", [DECODING, RELEASED], ids=["paper", "released"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_gpus_search_waits_at_its_checks_alone_and_finds_the_same(
    task, config, every, tokenizer, monkeypatch
):
    monkeypatch.setattr(beam_module, "STEPS_BETWEEN_CHECKS", every)
    summarizer = make_summarizer(task, tokenizer, seed=4)
    sources = tokenizer.encode_sources([e.document for e in examples(5)], 41)
    memory = summarizer.network.encode(pad(sources, tokenizer.special.pad))
    for decoder in task.targets:
        system, again = (prepared(summarizer, decoder, memory, config, 2) for _ in range(2))
        expected = n_best_search(*again)
        with as_on_a_gpu(), host_waits() as found:
            hypotheses = n_best_search(*system)
        for ours, theirs in zip(hypotheses, expected, strict=True):
            assert [h.ids for h in ours] == [h.ids for h in theirs]
            assert [h.score for h in ours] == pytest.approx([h.score for h in theirs])
        assert found.pop("tolist") == 3  # Of what was found, at the end.
        assert found.pop("item", 0) <= (system[2].max_length - 1) // every
        assert not found


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_batch_of_one_writes_what_a_batch_of_many_writes(task, tokenizer):
    summarizer = make_summarizer(task, tokenizer)
    texts = [example.document for example in examples(13)]
    many = summarizer.summarize(texts, DECODING)
    assert all(set(summary) == set(task.sides) for summary in many)
    assert [summarizer.summarize([text], DECODING)[0] for text in texts] == many


def test_progress_hears_of_every_text(tokenizer):
    heard = []
    make_summarizer(TASKS[0], tokenizer).summarize(
        [example.document for example in examples(13)], DECODING, heard.append
    )
    assert sum(heard) == 13
    assert len(heard) > 1


def test_beam_settings_leave_room_for_every_side(tokenizer):
    beam = make_summarizer(TASKS[2], tokenizer)._beam(2, DECODING)
    assert isinstance(beam, Beam)
    assert beam.max_length == 2 * (DECODING.max_length + 1)
    beam = make_summarizer(TASKS[3], tokenizer)._beam(2, DECODING)
    assert beam.max_length == 2 * (DECODING.max_length + 1) + 1


def test_bfloat16_is_a_copys_and_the_network_stays_as_it_was(tokenizer):
    summarizer = make_summarizer(TASKS[0], tokenizer)
    before = copy.deepcopy(summarizer.network.state_dict())
    texts = [example.document for example in examples(5)]
    found = summarizer.summarize(texts, dataclasses.replace(DECODING, weights="bfloat16"))
    for name, tensor in summarizer.network.state_dict().items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name]), name
    rounded = dataclasses.replace(summarizer, network=copy.deepcopy(summarizer.network).bfloat16())
    assert found == rounded.summarize(texts, DECODING)


@pytest.mark.parametrize("trained_in", ["32-true", "bf16-mixed"])
def test_weights_are_bfloat16_by_themselves_on_a_gpu_after_a_training_in_it(trained_in, tokenizer):
    summarizer = dataclasses.replace(make_summarizer(TASKS[0], tokenizer), trained_in=trained_in)
    unsaid = dataclasses.replace(DECODING, weights="auto")
    assert summarizer.resolved(unsaid).weights == "float32"
    with as_on_a_gpu():
        half = trained_in == "bf16-mixed"
        assert summarizer.resolved(unsaid).weights == ("bfloat16" if half else "float32")
        assert summarizer.resolved(DECODING).weights == "float32"


def test_a_prepared_summarizer_copies_and_packs_nothing_anew(tokenizer, monkeypatch):
    made = []
    name = "mclas_lightning.decoding.summarizer.OutputLayer"
    monkeypatch.setattr(name, lambda *a, **k: made.append(1) or OutputLayer(*a, **k))
    summarizer = make_summarizer(TASKS[2], tokenizer)
    texts = [example.document for example in examples(5)]
    layers = [m for m in summarizer.network.decoders.modules() if isinstance(m, Linear)]
    with summarizer.prepared(DECODING) as search:
        packed = [layer.packed for layer in layers]
        found = [search([text], 2)[0] for text in texts]
        assert None not in packed
        assert packed == [layer.packed for layer in layers]
    assert len(made) == 1
    together = summarizer.n_best(texts, DECODING, 2)
    assert [[c.summaries for c in each] for each in found] == [
        [c.summaries for c in each] for each in together
    ]


def test_8_bits_are_for_cpus(tokenizer):
    summarizer = make_summarizer(TASKS[0], tokenizer)
    summarizer.network.to("meta")
    with pytest.raises(InputError, match=r"decoding\.weights=int8: is for CPUs"):
        summarizer.summarize(["storm"], dataclasses.replace(DECODING, weights="int8"))


def test_a_captured_step_is_refused_without_a_gpu_and_in_8_bits(tokenizer):
    captured = dataclasses.replace(DECODING, captured=True)
    with pytest.raises(
        InputError, match=r"decoding\.captured=true: is for GPUs, and the network is"
    ):
        make_summarizer(TASKS[0], tokenizer).summarize(["storm"], captured)
    with pytest.raises(InputError, match=r"decoding\.captured=true: .* decoding\.weights=int8"):
        dataclasses.replace(captured, weights="int8")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_summarizer_captures_where_it_is_asked_to(task, tokenizer, monkeypatch):
    captured = []
    monkeypatch.setattr(
        step_module, "captured", lambda call, device: captured.append(device) or call
    )
    summarizer = make_summarizer(task, tokenizer)
    texts = [example.document for example in examples(5)]
    found = []
    for asked in (False, True):
        config = dataclasses.replace(DECODING, captured=asked)
        outputs = {
            name: summarizer._output(summarizer.network, sides, config)
            for name, sides in task.targets.items()
        }
        found.append(summarizer._search(summarizer.network, config, outputs, texts, 2))
        assert bool(captured) == asked
    for plain, fixed in zip(*found, strict=True):
        assert [c.summaries for c in plain] == [c.summaries for c in fixed]


def test_searches_give_free_memory_back_between_their_calls(tokenizer, monkeypatch):
    found, given = [], []
    monkeypatch.setattr(
        "mclas_lightning.decoding.summarizer.give_freed_memory_back",
        lambda: given.append(len(found)),
    )
    summarizer = make_summarizer(TASKS[0], tokenizer)
    for _ in range(2 * TRIM_BATCHES):
        found.append(summarizer.summarize(["storm"], DECODING))
    first, second = given
    assert second - first == TRIM_BATCHES
