"""A page that needs no server: the networks run in the visitor's browser."""
