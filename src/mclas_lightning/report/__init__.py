"""What a person reads at the end: results, tables, example summaries. No torch."""
