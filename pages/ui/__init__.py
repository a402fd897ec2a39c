"""What the pages share; the only place besides them that knows Streamlit."""
