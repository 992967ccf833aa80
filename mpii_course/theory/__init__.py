"""Theory that a student can touch: what more than one theory notebook needs, in NumPy, written to be read."""
