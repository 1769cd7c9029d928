"""What each attention head of a trained decoder does (paper, section 6)."""
