"""What lies in a run's folder, and who works there."""
