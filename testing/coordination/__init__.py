"""Sessions with the coordinator from a seed, and the rules that what they were told must fit."""
