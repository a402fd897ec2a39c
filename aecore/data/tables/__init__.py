"""Columns of text to numbers, dates, labels and even steps in time."""
