"""Arrays and DataFrames to Altair charts: pure functions, one meaning for each colour, no Streamlit, no torch."""
