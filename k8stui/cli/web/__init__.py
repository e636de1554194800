"""The screen in a browser: the server, and what it starts for each page."""
