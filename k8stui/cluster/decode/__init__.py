"""Objects of the API as values of the model: one module a kind."""
