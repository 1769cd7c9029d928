from itertools import pairwise

import pytest

from mclas_lightning import paper
from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.runs.results import SCENARIOS

CORPORA = ["zh2ensum", "en2desum", "en2zhsum"]
LOW_RESOURCE = SCENARIOS[:-1]
SYSTEMS = ["ncls", "ncls_ms", "mclas"]
PERSPECTIVES = ("informativeness", "conciseness", "fluency")
PAPER = paper.numbers()


def difference_is_off(cell: paper.Table5Cell, gold: float) -> bool:
    """Whether a length minus the gold ones' is another number than the printed difference."""
    return round(cell.length - gold, 2) != cell.difference


def test_the_numbers_are_those_of_table_1_and_section_5_1():
    sizes = {name: [cell.size for cell in row.values()] for name, row in PAPER.table1.items()}
    assert sizes == {
        "zh2ensum": [5_000, 25_000, 50_000, 1_693_713],
        "en2desum": [2_619, 12_925, 25_832, 429_393],
        "en2zhsum": [1_500, 7_500, 15_000, 364_687],
    }
    assert {n: (c.train, c.valid, c.test) for n, c in PAPER.corpora.items()} == {
        "zh2ensum": (1_693_713, 3_000, 3_000),
        "en2desum": (429_393, 4_305, 4_099),
        "en2zhsum": (364_687, 3_000, 3_000),
    }


def test_percentages_are_those_of_the_counts_but_for_two():
    off = []
    for name, row in PAPER.table1.items():
        assert list(row) == list(SCENARIOS)
        assert row["full"].percent is None
        for scenario in SCENARIOS[:-1]:
            share = round(100 * row[scenario].size / row["full"].size, 1)
            if row[scenario].percent != share:
                off.append((name, scenario, row[scenario].percent, share))
    assert off == [("en2zhsum", "medium", 2.0, 2.1), ("en2zhsum", "maximum", 4.0, 4.1)]


def test_the_full_scenario_is_the_training_split():
    corpora, table = PAPER.corpora, PAPER.table1
    assert list(corpora) == list(table) == CORPORA
    assert [corpora[n].train for n in CORPORA] == [table[n]["full"].size for n in CORPORA]


@pytest.mark.parametrize("name", CORPORA)
def test_the_configuration_has_the_papers_scenarios_and_languages(name):
    dataset = read_settings(compose("train", [f"dataset={name}"]))[0].dataset
    corpus, row = PAPER.corpora[name], PAPER.table1[name]
    assert dataset.sizes == {s: row[s].size for s in SCENARIOS[:-1]} | {"full": 1.0}
    assert (dataset.source, dataset.target) == (corpus.source, corpus.target)
    assert corpus.name.lower() == dataset.name == name


@pytest.mark.parametrize("name", CORPORA)
def test_shards_of_the_released_code_give_about_the_papers_sizes(name):
    shards = read_settings(compose("train", [f"dataset={name}"]))[0].dataset.shards
    assert shards is not None
    assert list(shards.take) == list(SCENARIOS[:-1])
    for scenario, num in shards.take.items():
        size = PAPER.table1[name][scenario].size
        assert num * shards.size == pytest.approx(size, rel=0.015 if name == "en2desum" else 0)


@pytest.mark.parametrize("name", CORPORA)
def test_pretraining_is_on_the_corpus_itself(name):
    dataset = read_settings(compose("train", [f"dataset={name}"]))[0].dataset
    mono = read_settings(compose("train", [*dataset.pretraining, "model=ms"]))[0]
    assert mono.dataset == dataset
    assert (mono.network.name, mono.optim.encoder.lr) == ("paper", 0.005)


def test_the_configuration_trains_and_decodes_as_section_5_2_says():
    settings = read_settings(compose("train", ["dataset=en2desum"]))[0]
    optim, decoder, training = settings.optim, settings.network.decoder, PAPER.training
    assert {"encoder": optim.encoder.lr, "decoder": optim.decoder.lr} == training["lr"]
    warmup = {"encoder": optim.encoder.warmup, "decoder": optim.decoder.warmup}
    assert warmup == training["warmup"]
    assert optim.encoder.dropout == optim.decoder.dropout == training["dropout"]
    recipe = optim.recipe
    assert (recipe.accumulate, recipe.devices) == (training["accumulate"], training["gpus"])
    width = settings.network.encoder.width
    assert {**vars(decoder), "width": width} == training["decoder"]
    assert training["decoder"] == {"layers": 6, "heads": 8, "width": 768, "feed_forward": 2048}
    assert settings.decoding.beam == PAPER.decoding["beam"]
    low, high = PAPER.decoding["length_penalty"]
    assert low <= settings.decoding.length_penalty <= high


def test_the_numbers_of_the_sections_are_those_of_the_text():
    """Numbers with a second source in ``conf/`` or in a table have a test of their own."""
    assert PAPER.thresholds == {"en2desum": {"T1": 0.6, "T2": 0.2}}
    assert (PAPER.training["parameters"], PAPER.training["days"]) == (296_046_231, 1)
    assert PAPER.training.keys() - {"parameters", "days"} == {
        *("decoder", "lr", "warmup", "dropout", "gpus", "accumulate")
    }
    assert PAPER.decoding == {"beam": 5, "blocked_ngram": 3, "length_penalty": [0.6, 1.0]}
    assert PAPER.lexicon == {"sentence_pairs": 2_080_000, "corpora": 8}
    assert PAPER.lengths == {"en2zhsum": {"mono": 55.21, "cross": 95.96}}
    assert {name: list(heads["kinds"]) for name, heads in PAPER.heads.items()} == {
        "self_attention": ["translation", "local", "self"],
        "encoder_decoder": ["summarization", "translation"],
    }


def test_table_2_has_39_cells_of_which_tltrans_lack_bertscore():
    cells = {
        (name, scenario, system): cell
        for name, scenarios in PAPER.table2.items()
        for scenario, row in scenarios.items()
        for system, cell in row.items()
    }
    low = [(n, s, system) for n in CORPORA for s in LOW_RESOURCE for system in SYSTEMS]
    full = [(n, "full", system) for n in CORPORA for system in ["tltran", *SYSTEMS]]
    assert sorted(cells) == sorted(low + full)
    assert len(cells) == 39
    lacking = {system for (_, _, system), cell in cells.items() if cell.bertscore_f is None}
    assert lacking == {"tltran"}
    assert sum(cell.bertscore_f is None for cell in cells.values()) == 3


def test_a_longest_common_subsequence_holds_no_more_than_all_common_words():
    """ROUGE-L counts words in order, ROUGE-1 all of them; bigrams overlap less often."""
    rows = [row for scenarios in PAPER.table2.values() for row in scenarios.values()]
    for row in [*rows, *PAPER.table6.values()]:
        for cell in row.values():
            assert cell.rouge2_f < cell.rougeL_f < cell.rouge1_f
    for column in PAPER.table7["en2desum"].systems.values():
        assert column.rouge2_r < column.rougeL_r < column.rouge1_r
        assert column.rouge2_p < column.rougeL_p < column.rouge1_p


def test_mclas_is_best_where_section_5_4_says_so():
    for name in ("zh2ensum", "en2desum"):
        for row in PAPER.table2[name].values():
            for score in ("rouge1_f", "rouge2_f", "rougeL_f"):
                assert max(row, key=lambda system: getattr(row[system], score)) == "mclas"


def test_more_data_gives_more_rouge():
    for scenarios in PAPER.table2.values():
        assert list(scenarios) == list(SCENARIOS)
        for less, more in pairwise(scenarios.values()):
            for system in SYSTEMS:
                assert less[system].rouge1_f < more[system].rouge1_f
                assert less[system].rouge2_f < more[system].rouge2_f
                assert less[system].rougeL_f < more[system].rougeL_f


def test_the_human_evaluation_is_20_examples_of_each_low_resource_scenario():
    plan = PAPER.human_evaluation
    assert plan["examples"] == len(LOW_RESOURCE) * plan["of_a_scenario"] == 60
    for table in (PAPER.table3, PAPER.table4):
        assert list(table) == [plan["dataset"]]
        assert list(table[plan["dataset"]]) == list(LOW_RESOURCE)


def test_every_preference_is_a_whole_number_of_140_judgements():
    plan = PAPER.human_evaluation
    judgements = plan["of_a_scenario"] * plan["annotators"]
    assert judgements == 140
    for row in PAPER.table3["zh2ensum"].values():
        assert sorted(row) == ["gold", "mclas", "ncls", "ncls_ms"]
        for cell in row.values():
            for perspective in PERSPECTIVES:
                printed = getattr(cell, perspective)
                assert round(round(printed * judgements) / judgements, 3) == printed


def test_best_and_worst_choices_are_equally_many_but_for_five_columns():
    off = {}
    for scenario, row in PAPER.table3["zh2ensum"].items():
        for perspective in PERSPECTIVES:
            total = sum(round(140 * getattr(cell, perspective)) for cell in row.values())
            if total:
                off[scenario, perspective] = total
    assert off == {
        ("medium", "informativeness"): -1,
        ("medium", "conciseness"): 1,
        ("maximum", "informativeness"): 1,
        ("maximum", "conciseness"): -1,
        ("maximum", "fluency"): -1,
    }


def test_mclas_is_preferred_to_the_other_systems_but_for_two_cells():
    behind = [
        (scenario, perspective, system)
        for scenario, row in PAPER.table3["zh2ensum"].items()
        for perspective in PERSPECTIVES
        for system in ("ncls", "ncls_ms")
        if getattr(row["mclas"], perspective) <= getattr(row[system], perspective)
    ]
    assert behind == [("minimum", "informativeness", "ncls"), ("medium", "informativeness", "ncls")]


def test_more_data_makes_summaries_preferred_more_often_but_for_some():
    worse = [
        (after, perspective, system)
        for before, after in pairwise(LOW_RESOURCE)
        for perspective in PERSPECTIVES
        for system in SYSTEMS
        if getattr(PAPER.table3["zh2ensum"][before][system], perspective)
        > getattr(PAPER.table3["zh2ensum"][after][system], perspective)
    ]
    assert worse == [
        ("medium", "conciseness", "ncls_ms"),
        ("medium", "fluency", "ncls_ms"),
        ("maximum", "informativeness", "ncls"),
        ("maximum", "conciseness", "ncls"),
    ]


def test_kappa_is_that_of_labels_best_worst_neither_of_each_of_four_summaries():
    """Every judgement labels 1 of 4 best and 1 worst: chance agrees on 3/8 of the labels."""
    chance = (1 / 4) ** 2 + (1 / 4) ** 2 + (2 / 4) ** 2
    for cell in PAPER.table4["zh2ensum"].values():
        assert round((cell.agreement / 100 - chance) / (1 - chance), 2) == cell.kappa


def test_differences_of_table_5_are_those_of_the_lengths_but_for_one():
    off = []
    for name, table in PAPER.table5.items():
        assert list(table.systems) == list(LOW_RESOURCE)
        for scenario, row in table.systems.items():
            assert list(row) == SYSTEMS
            off += [
                (name, scenario, system, cell.difference)
                for system, cell in row.items()
                if difference_is_off(cell, table.gold)
            ]
    assert off == [("en2desum", "minimum", "mclas", -0.90)]
    assert round(7.80 - 8.79, 2) == -0.99


def test_mclas_is_nearest_to_the_gold_length_and_alone_below_it_in_table_5():
    for table in PAPER.table5.values():
        for row in table.systems.values():
            assert min(row, key=lambda system: abs(row[system].length - table.gold)) == "mclas"
            shorter = [system for system, cell in row.items() if cell.difference < 0]
            assert shorter == ["mclas"]


def test_differences_of_table_7_are_those_of_the_lengths():
    table = PAPER.table7["en2desum"]
    assert list(table.systems) == ["ms", "ncls_ms", "mclas"]
    assert [s for s, cell in table.systems.items() if difference_is_off(cell, table.gold)] == []


def test_f1_of_table_6_is_at_most_that_of_table_7s_recall_and_precision():
    """The harmonic mean is concave: the mean F1 is at most the F1 of mean recall and precision.

    (Jensen's inequality; equal only where recall and precision are so in every document.)
    """
    for system, column in PAPER.table7["en2desum"].systems.items():
        for n in ("1", "2", "L"):
            recall, precision = (getattr(column, f"rouge{n}_{part}") for part in "rp")
            mean_f1 = getattr(PAPER.table6["en2desum"][system], f"rouge{n}_f")
            ceiling = 2 * recall * precision / (recall + precision)
            assert 0.97 * ceiling < mean_f1 < ceiling


def test_percentages_of_heads_are_those_of_the_counts():
    decoder = PAPER.training["decoder"]
    for heads in PAPER.heads.values():
        assert heads["total"] == decoder["layers"] * decoder["heads"] == 48
        for kind in heads["kinds"].values():
            assert round(100 * kind["num"] / heads["total"], 1) == kind["percent"]


def test_only_heads_of_self_attention_are_of_two_kinds():
    total = {
        name: sum(kind["num"] for kind in heads["kinds"].values())
        for name, heads in PAPER.heads.items()
    }
    assert total == {"self_attention": 54, "encoder_decoder": 48}
