"""Trained nets for other programs: each form is written from one graph, read back, and run on every test image."""
