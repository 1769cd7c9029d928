"""The commands ``mclas``, ``mclas-train`` and ``mclas-evaluate``."""
