"""Scores of summaries (ROUGE, lengths, language) and tests of their differences."""
