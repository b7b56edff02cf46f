"""Generate new creatures from a set of pictures: data, networks, metrics and training, for any program to import.

Importing it changes nothing; `creatures.runtime.tuning.tune()`, called before torch is imported, makes training faster.
"""
