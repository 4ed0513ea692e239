"""Recordings, played in blocks that stay in the cache, by what writes in place.

`blocked` is where a plan comes in.  `scores` are what is recorded of a result: `values`
up to a shift, of which `windows` tell what a block needs; `programs` are the functions
that play it, written on `registers`.  `blocks` and `pieces` are where a result is cut,
as `preparing` does it, and `masked` those with missing samples.  Small calls are made
again in `spaces`: there the operations of programs are `replayed` on `workspaces`.
Which calls, `learning` decides.
"""
