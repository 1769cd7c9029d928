"""All scores of one system's summaries in one language, as plain numbers."""

from collections.abc import Sequence
from statistics import fmean

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.language import share_in_wrong_language
from mclas_lightning.metrics.rouge import mean, rouge, tokens


def score(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    language: str,
    other_language: str | None,
) -> dict[str, float]:
    """Score ``hypotheses``, written in ``language``, against one reference each.

        rouge1_p, rouge1_r, rouge1_f, rouge2_*, rougeL_*   means over documents, from 0 to 1
        length, reference_length                           mean tokens (words; characters in zh)
        wrong_language, reference_wrong_language           shares, from 0 to 1
        empty                                              hypotheses without a token
        num                                                documents

    An empty hypothesis stays in every mean, with ROUGE 0 and length 0. ``other_language`` is the
    one the system could have written instead; None compares with all languages.
    """
    documents = rouge(hypotheses, references, language)
    if not documents:
        raise InputError("there are no summaries to score")
    lengths = [len(tokens(text, language)) for text in hypotheses]
    others = () if other_language is None else (other_language,)
    return mean(documents) | {
        "length": fmean(lengths),
        "reference_length": fmean(len(tokens(text, language)) for text in references),
        "wrong_language": share_in_wrong_language(hypotheses, language, others),
        "reference_wrong_language": share_in_wrong_language(references, language, others),
        "empty": lengths.count(0),
        "num": len(documents),
    }
