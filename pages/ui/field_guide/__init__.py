"""Parts of the Field guide page, a module a section: each shows itself and returns what there is to take away."""
