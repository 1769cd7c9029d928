from contextlib import contextmanager

from mclas_lightning.decoding.candidates import Candidate, System
from tests.decoding.conftest import DECODING


class Counting(System):
    """Writes each text and a number, the best candidate first."""

    open = 0

    @contextmanager
    def prepared(self, config):
        self.open += 1
        yield lambda texts, num_best, progress: [
            [Candidate(summaries={"mono": f"{text} {n}"}, score=-n) for n in range(num_best)]
            for text in texts
            if progress(self.open) is None
        ]
        self.open -= 1


def test_a_system_is_prepared_while_it_searches_and_no_longer():
    system, heard = Counting(), []
    found = system.n_best(["a", "b"], DECODING, 2, heard.append)
    assert [[c.summaries["mono"] for c in of_text] for of_text in found] == [
        ["a 0", "a 1"],
        ["b 0", "b 1"],
    ]
    assert heard == [1, 1]
    assert system.open == 0


def test_the_summaries_are_those_of_the_best_candidates():
    assert Counting().summarize(["a", "b"], DECODING) == [{"mono": "a 0"}, {"mono": "b 0"}]
