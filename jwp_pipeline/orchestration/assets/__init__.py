"""The assets, with a module for each group. A body calls one function of a domain package and returns its report."""
