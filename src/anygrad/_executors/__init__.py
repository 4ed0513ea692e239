"""Executors: where, and in how many pieces, a plan is run.

An executor is a function ``run(f, plan, xp)`` that returns one derivative per task of
the plan.  It never raises on a user's input, because the plan has been checked, and
it never changes the mathematics: its results are those of `anygrad._agnostic.run`.
What it does not want, it hands there.  Each imports its library inside its functions.
"""
