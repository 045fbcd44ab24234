"""The Checkpoints page's views and trainings."""
