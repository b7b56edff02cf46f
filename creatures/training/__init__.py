"""The training loop, its batches, hooks, averages and schedules."""
