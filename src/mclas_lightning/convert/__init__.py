"""Checkpoints and packages of others, converted to this project's files."""
