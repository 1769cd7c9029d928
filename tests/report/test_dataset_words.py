from itertools import product

from mclas_lightning.report.dataset_words import scenario_model_products

LOW = ("minimum", "medium", "maximum")


def test_products_hold_all_pairs_and_nothing_else():
    pairs = [(s, m) for s in LOW for m in ("ncls", "mclas")] + [("medium", "ncls_ms")]
    found = scenario_model_products(pairs)
    assert found == [(list(LOW), ["ncls", "mclas"]), (["medium"], ["ncls_ms"])]
    assert {pair for scenarios, models in found for pair in product(scenarios, models)} == set(
        pairs
    )
