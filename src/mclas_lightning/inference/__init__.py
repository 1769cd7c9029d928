"""Trained systems, loaded from runs, exported folders or a hub."""
