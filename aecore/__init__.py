"""The core of the autoencoder primer and workbench: importable, typed, tested, and free of Streamlit.

Importing this package is cheap on purpose: torch is loaded by the modules that need it, never here.
"""

__version__ = "0.1.0"
