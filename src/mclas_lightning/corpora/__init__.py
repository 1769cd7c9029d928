"""Corpora as text: importing, building, checking and what is written of them."""
