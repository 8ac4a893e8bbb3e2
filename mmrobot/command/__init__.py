"""Words in: cleaning what a person typed or said, the one word split, and stop words that need no model."""
