"""Recordings, printed as the texts of kernels, for compilers.

`kernels` is where a plan comes in, and what is too long is cut.  `printing` is what the
languages share: `loops` are printed for Numba, in the words of `numba_language`, and
`cuda` in C++, in those of `cuda_language`.  `in_numba`, and `on_cuda` with
`torch_on_cuda`, compile and launch them.
"""
