"""One module a page: settings -> data, model, training -> result; the pages' jobs are generators here."""
