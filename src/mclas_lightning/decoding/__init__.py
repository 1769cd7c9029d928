"""From logits to summaries: beam search, its processors, and the summarizer."""
