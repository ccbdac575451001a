"""Sharing links: their secrets, what a visitor sees, and what the team says of them."""
