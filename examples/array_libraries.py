"""Arrays of the library that `--backend` names, and back to NumPy to be drawn."""

import importlib

import numpy as np
from array_api_compat import is_cupy_array

# The module whose ``asarray`` makes an array of each library.
BACKENDS = {
    "numpy": "array_api_compat.numpy",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "dask": "array_api_compat.dask.array",
    "array_api_strict": "array_api_strict",
    "cupy": "array_api_compat.cupy",
}


class ExampleError(Exception):
    """Something the user can put right; `main` prints it without a traceback."""


def to_backend(values, backend):
    """Copy a NumPy array into another array library.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers of any dtype.
    backend : str
        A key of `BACKENDS`.

    Returns
    -------
    array
        The values in that library, of the same dtype.

    Raises
    ------
    ExampleError
        If the library is not installed, or cannot hold an array here.
    """
    try:
        xp = importlib.import_module(BACKENDS[backend])
    except ImportError as error:
        raise ExampleError(f"{backend} is not installed: {error}") from error
    try:
        return xp.asarray(values)
    except RuntimeError as error:  # CuPy without a GPU, say
        raise ExampleError(f"{backend} is installed but fails: {error}") from error


def to_numpy(array):
    """Copy an array of any library to NumPy; this is where Dask computes."""
    return array.get() if is_cupy_array(array) else np.asarray(array)
