"""The asset checks, a module for each group, and how their results are made (results.py)."""
