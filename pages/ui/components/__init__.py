"""Browser components: one folder each with its Python, JavaScript and CSS; `shared` has what they have in common."""
