from dataclasses import replace

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.corpora.own import proposal
from mclas_lightning.corpora.own.proposal import (
    PAPER_MEMORY,
    Machine,
    Proposal,
    decoding_for,
    lengths,
    network_and_recipe,
    num_pieces,
    scenario_sizes,
)
from mclas_lightning.data.scenario import subset_size
from mclas_lightning.example import write_jsonl
from tests.conftest import examples

CPU = Machine(gpu_memory=0, mbert=True)


@pytest.mark.parametrize("num", [8, 40, 1000, 10_000, 500_000])
def test_scenarios_grow_and_fit_the_corpus(num):
    sizes = scenario_sizes(num)
    found = [subset_size(scenario, sizes, num) for scenario in sizes]
    assert found == sorted(found)
    assert 1 <= found[0] < found[-1] == num


def test_a_large_corpus_has_the_papers_shares():
    sizes = scenario_sizes(1_000_000)
    # The means of Table 1: 0.3, 0.6 and 0.4 %; 1.5, 3.0 and 2.0 %; 3.0, 6.0 and 4.0 %.
    assert sizes == {"minimum": 4333, "medium": 21667, "maximum": 43333, "full": 1.0}


@pytest.mark.parametrize(
    ("num", "machine", "name"),
    [
        (300, CPU, "tiny"),
        (50_000, CPU, "small"),
        (50_000, Machine(gpu_memory=PAPER_MEMORY, mbert=False), "small"),
        (50_000, Machine(gpu_memory=PAPER_MEMORY, mbert=True), "paper"),
    ],
)
def test_mbert_is_proposed_where_it_is_here_and_fits_alone(num, machine, name):
    assert network_and_recipe(num, machine) == (name, name)


def test_this_machine_is_looked_at_without_a_network():
    assert Machine.here().gpu_memory >= 0


def test_more_examples_have_more_word_pieces():
    assert [num_pieces(num) for num in (1, 5_000, 10**6)] == [4000, 8000, 32000]


def test_limits_leave_nearly_all_texts_whole(tmp_path, tokenizer):
    rows = examples(40)
    write_jsonl(tmp_path / "train.jsonl", rows)
    assert lengths(tmp_path / "train.jsonl", tokenizer) == (128, 40)  # the least
    longer = [
        type(rows[0])(id=r.id, document=30 * r.document, mono=10 * (r.mono or "")) for r in rows
    ]
    write_jsonl(tmp_path / "train.jsonl", longer)
    max_source, max_summary = lengths(tmp_path / "train.jsonl", tokenizer)
    cut = sum(
        len(ids) + 2 > max_source for ids in tokenizer.encode([r.document for r in longer], 9999)
    )
    assert cut <= 2 or max_source == 512
    assert 40 < max_summary <= 250


def test_lengths_of_a_sorted_file_are_those_of_all_its_examples(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(proposal, "SAMPLE", 20)
    document = " ".join(e.document for e in examples(9))
    long = [replace(e, document=document) for e in examples(50)]
    write_jsonl(tmp_path / "train.jsonl", long)
    expected = lengths(tmp_path / "train.jsonl", tokenizer)
    write_jsonl(tmp_path / "train.jsonl", [*examples(50), *long])
    assert lengths(tmp_path / "train.jsonl", tokenizer)[0] == expected[0] > 128


@pytest.mark.parametrize(("length", "name"), [(40, "short"), (41, "paper"), (200, "long")])
def test_decoding_may_write_as_much_as_summaries_have(length, name):
    assert decoding_for(length) == name


def test_the_file_composes_to_what_it_proposes(tmp_path, monkeypatch):
    proposed = Proposal(
        name="mine", source="fr", target="uk", tokenizer="${data}/mine/tokenizer",
        sizes=scenario_sizes(1000), max_source=128, max_summary=77, network="small",
        optim="small", decoding="paper", made_by="mclas new-dataset mine 'a: b # ${c}.csv'",
    )  # fmt: skip
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    (tmp_path / "conf" / "dataset" / "mine.yaml").write_text(proposed.yaml())
    monkeypatch.chdir(tmp_path)
    settings = read_settings(compose("train", ["dataset=mine", "scenario=minimum"]))[0]
    assert (settings.dataset.path, settings.tokenizer) == ("data/mine", "data/mine/tokenizer")
    assert (settings.network.name, settings.optim.updates["full"]) == ("small", 9000)
    assert settings.dataset.sizes == proposed.sizes
    assert settings.dataset.max_summary == 77 < settings.decoding.max_length
    assert settings.dataset.how_to_get == proposed.made_by
