"""Look and read: one interface of five operations, and the models behind it."""
