"""Loggers of a training: metrics.csv, TensorBoard and W&B, with upload and dashboard."""
