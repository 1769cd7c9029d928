"""Scores of summaries: ROUGE in every language, lengths, language identification."""
