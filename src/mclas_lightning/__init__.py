"""MCLAS (Bai et al., ACL 2021) and its baselines on PyTorch Lightning."""

__version__ = "0.1.0"
