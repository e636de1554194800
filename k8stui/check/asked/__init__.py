"""Whom containers are told to ask: hosts and ports in env, words and mounted files."""
