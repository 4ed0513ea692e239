"""One room per argument: the checked value, or the error.

Only shapes, dtypes, devices and Python numbers are read, never the values of an array,
so that lazy and traced arrays can be checked, and it costs no computation.
"""
