"""One file per model family: prompts, coordinates, and replies made types."""
