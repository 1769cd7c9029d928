"""From jsonl to tensors: tokenizing, the store of ids, scenarios, sampling and batching."""
