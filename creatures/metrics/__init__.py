"""Features, distances between sets of pictures, visible defects."""
