"""The agnostic run, written down once for a form: what is played, and what is printed.

`symbols` are arrays without values, and `nodes` what is written down of operations on
them; the `tape` is the recording of a whole call.  `weights` that all lines share are
operands of it.
"""
