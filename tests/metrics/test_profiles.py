from mclas_lightning.metrics.profiles import PAPER_FAMILY, profiles_of


def test_chinese_has_the_papers_profile_only_with_word_pieces(tmp_path, tokenizer):
    assert [profile.name for profile in profiles_of("zh", tmp_path)] == ["standard", "folded"]
    assert profiles_of("de", tmp_path)[-1].family == PAPER_FAMILY
    tokenizer.save(tmp_path)
    assert [profile.name for profile in profiles_of("zh", tmp_path)][-1] == "paper"
