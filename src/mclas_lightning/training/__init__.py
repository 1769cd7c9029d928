"""The training of a network, by Lightning."""
