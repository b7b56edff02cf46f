"""Generators, and the registry of their names."""
