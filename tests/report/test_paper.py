import pytest

from mclas_lightning.app import compose
from mclas_lightning.report import paper
from mclas_lightning.report.results import SCENARIOS
from mclas_lightning.settings import read_settings

CORPORA = ["zh2ensum", "en2desum", "en2zhsum"]


def test_the_numbers_are_those_of_table_1_and_section_5_1():
    sizes = {name: [cell.size for cell in row.values()] for name, row in paper.table1().items()}
    assert sizes == {
        "zh2ensum": [5_000, 25_000, 50_000, 1_693_713],
        "en2desum": [2_619, 12_925, 25_832, 429_393],
        "en2zhsum": [1_500, 7_500, 15_000, 364_687],
    }
    assert {n: (c.train, c.valid, c.test) for n, c in paper.corpora().items()} == {
        "zh2ensum": (1_693_713, 3_000, 3_000),
        "en2desum": (429_393, 4_305, 4_099),
        "en2zhsum": (364_687, 3_000, 3_000),
    }


def test_percentages_are_those_of_the_counts_but_for_two():
    off = []
    for name, row in paper.table1().items():
        assert list(row) == list(SCENARIOS)
        assert row["full"].percent is None
        for scenario in SCENARIOS[:-1]:
            share = round(100 * row[scenario].size / row["full"].size, 1)
            if row[scenario].percent != share:
                off.append((name, scenario, row[scenario].percent, share))
    assert off == [("en2zhsum", "medium", 2.0, 2.1), ("en2zhsum", "maximum", 4.0, 4.1)]


def test_the_full_scenario_is_the_training_split():
    corpora, table = paper.corpora(), paper.table1()
    assert list(corpora) == list(table) == CORPORA
    assert [corpora[n].train for n in CORPORA] == [table[n]["full"].size for n in CORPORA]


@pytest.mark.parametrize("name", CORPORA)
def test_the_configuration_has_the_papers_scenarios_and_languages(name):
    dataset = read_settings(compose("train", [f"dataset={name}"]))[0].dataset
    corpus, row = paper.corpora()[name], paper.table1()[name]
    assert dataset.sizes == {s: row[s].size for s in SCENARIOS[:-1]} | {"full": 1.0}
    assert (dataset.source, dataset.target) == (corpus.source, corpus.target)
    assert corpus.name.lower() == dataset.name == name


@pytest.mark.parametrize("name", CORPORA)
def test_shards_of_the_released_code_give_about_the_papers_sizes(name):
    shards = read_settings(compose("train", [f"dataset={name}"]))[0].dataset.shards
    assert shards is not None
    assert list(shards.take) == list(SCENARIOS[:-1])
    for scenario, num in shards.take.items():
        size = paper.table1()[name][scenario].size
        assert num * shards.size == pytest.approx(size, rel=0.015 if name == "en2desum" else 0)


@pytest.mark.parametrize("name", CORPORA)
def test_pretraining_is_on_the_corpus_itself(name):
    dataset = read_settings(compose("train", [f"dataset={name}"]))[0].dataset
    mono = read_settings(compose("train", [*dataset.pretraining, "model=ms"]))[0]
    assert mono.dataset == dataset
    assert (mono.network.name, mono.optim.encoder.lr) == ("paper", 0.005)
