"""Profiles as data: one TOML file for each product; see docs/profiles.md for their keys."""
