"""Picture files of any kind, and hostile ones, to pixels."""
