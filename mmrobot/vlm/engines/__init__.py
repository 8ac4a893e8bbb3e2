"""Graphs and engines made of a model's parts: export, quantisation, numeric checks, and their cache."""
