"""What a set of pictures is, before any is decoded: its labels and splits, from the names of its files."""
