"""The asset checks, with a module for each group of assets. results.py makes their results."""
