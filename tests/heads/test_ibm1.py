import tracemalloc

import numpy as np

from mclas_lightning.heads.ibm1 import NULL, Aligner, Model1

# A house is eine Hütte; words swap places, so that only co-occurrence can tell.
PAIRS = [
    (["the", "house"], ["haus", "das"]),
    (["the", "book"], ["das", "buch"]),
    (["a", "book"], ["buch", "ein"]),
]


def brute_force(iterations: int) -> dict[tuple[str, str], float]:
    """Expectation maximization as written in Brown et al., word by word."""
    table = {(x, y): 1.0 for a, b in PAIRS for x in (NULL, *a) for y in b}
    for _ in range(iterations):
        count = dict.fromkeys(table, 0.0)
        for a, b in PAIRS:
            for y in b:
                total = sum(table[x, y] for x in (NULL, *a))
                for x in (NULL, *a):
                    count[x, y] += table[x, y] / total
        sums = {x: sum(c for (x2, _), c in count.items() if x2 == x) for x, _ in count}
        table = {(x, y): c / sums[x] for (x, y), c in count.items()}
    return table


def test_the_table_is_that_of_a_loop():
    a, b = ["the", "house", "book", "a"], ["haus", "das", "buch", "ein"]
    expected = brute_force(7)
    np.testing.assert_allclose(
        Model1(PAIRS, 7).probabilities(a, b),
        [[expected.get((x, y), 0) for x in (NULL, *a)] for y in b],
        atol=1e-12,
    )


def test_words_that_occur_together_are_aligned():
    posterior_JI = Aligner(PAIRS, 20).posterior(["the", "book"], ["das", "buch"])
    assert posterior_JI.argmax(1).tolist() == [0, 1]
    assert posterior_JI.diagonal().min() > 0.6


def test_unknown_words_and_no_words_have_no_links():
    aligner = Aligner(PAIRS, 3)
    assert aligner.posterior(["moon"], ["mond", "das"]).tolist() == [[0.0], [0.0]]
    assert aligner.posterior([], ["das"]).shape == (1, 0)


def test_20000_pairs_of_summaries_fit_into_memory():
    """They have a hundred million co-occurrences, none of which holds its words."""
    pairs = [
        ([f"{'long' * 9}{17 * n + i}" for i in range(61)], [f"{n + j}" for j in range(97)])
        for n in range(20)
    ]
    tracemalloc.start()
    Model1(pairs, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / sum((len(a) + 1) * len(b) for a, b in pairs) < 80  # bytes
