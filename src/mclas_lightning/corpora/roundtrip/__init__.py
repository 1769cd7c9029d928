"""Cross-lingual corpora from monolingual ones by round-trip translation (section 5.1)."""
