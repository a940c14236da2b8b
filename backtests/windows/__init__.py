"""Choosing parameters on some days and judging them on others: which days, what was chosen, and how it did there."""
