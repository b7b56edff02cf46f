"""Discriminators, and the registry of their names."""
