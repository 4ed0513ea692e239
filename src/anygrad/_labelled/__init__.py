"""Labelled arrays: what is asked by names of dims becomes a call on plain arrays.

`labels` is where the doors of `anygrad.xarray` come in, and `fields` has those of
vector fields, whose `components` are variables, or lie along a dim.  Dims are found
`by_name`, and `coordinates`, dates among them, become numbers; so does what lies beyond
the ends (`boundaries`).  The results have `units`, and what the plain doors refuse is
said in the `words` of labels.
"""
