"""Figures as messages to the browser components."""
