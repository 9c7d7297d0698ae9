"""A small media portal on the record: what a web application of your own could look like."""
