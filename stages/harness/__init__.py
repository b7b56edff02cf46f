"""The code around every stage."""
