"""Executors: where, and in how many pieces, a plan is run.

An executor is a function ``run(f, plan, xp)`` that returns one derivative per task of
the plan.  It never raises on a user's input, because the plan has been checked, and
it never changes the mathematics: its results are those of `anygrad._agnostic.run`.
What it does not want, it hands there.  Each imports its library inside its functions.

Here is a file for each library, ``in_NAME``, and what those share.  They play what is
`recorded` of the agnostic run, block by block (`played`), or print it as the text of a
kernel (`printed`), and run it where samples are `spread` over chunks and devices.
"""
