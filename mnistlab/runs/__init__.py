"""Runs: where they lie, and what is written down of them."""
