"""Measurements anyone can run again."""

from creatures.runtime.tuning import tune

tune()  # before torch is imported
