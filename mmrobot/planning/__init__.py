"""The skills' catalogue, and from a model's draft to a plan in metres."""
