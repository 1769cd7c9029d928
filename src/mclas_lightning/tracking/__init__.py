"""Where a run is watched beside its folder: W&B, TensorBoard, the W&B dashboard."""
