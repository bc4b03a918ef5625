"""Masters and their procedures over region servers without data, to be killed at will."""
