"""The configuration of a run: composed by Hydra, read into frozen dataclasses and checked."""
