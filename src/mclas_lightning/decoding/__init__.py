"""From logits to summaries: beam search, processors of its scores, the summarizer."""
