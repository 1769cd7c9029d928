"""The profiles of ROUGE that every run is scored by."""

from pathlib import Path

from mclas_lightning.metrics.pieces import WordPieces
from mclas_lightning.metrics.rouge import Profile, folded_profile, paper_profile, standard_profile
from mclas_lightning.metrics.self_test import self_test

PAPER_FAMILY = "paper_rouge"  # the family of the profile ``paper``, and the prefix of its scores


def profiles_of(language: str, tokenizer: Path) -> list[Profile]:
    """The profiles of ROUGE for a language, each after its self-test (RuntimeError).

    In Chinese, the profile ``paper`` needs WordPiece in the run's ``tokenizer`` folder, and is left
    out without.
    """
    pieces = WordPieces.find(tokenizer) if language == "zh" else None
    known = language != "zh" or pieces is not None
    profiles = [
        standard_profile(language),
        folded_profile(language),
        *([paper_profile(language, pieces)] if known else []),
    ]
    for profile in profiles:
        self_test(profile)
    return profiles
