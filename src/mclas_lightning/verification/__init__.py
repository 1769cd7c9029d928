"""Whether a run's results are what its files give: hashes and scores, without torch."""
