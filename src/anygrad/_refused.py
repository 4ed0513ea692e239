"""What holds numbers and is no array to compute with, by the name of its class.

On disk, in columns, with labels or without a fixed shape: what to pass instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ._refusals import Mask, Units


class Refusal(NamedTuple):
    """An array-like class whose meaning a derivative would lose."""

    #: The top-level package of the class.
    package: str
    #: Its name there; those of its bases count, too.
    classes: tuple[str, ...]
    #: What it is and why it is refused: it follows "must not be".
    rule: str
    #: What to do instead.
    remedy: str
    #: How the meaning goes along where it can.
    carried: Units | Mask | None = None
    #: The same where the chunks of an array are of the class.
    in_chunks: Mask | None = None
    #: How one date is taken of what holds them: labels need not begin with 0.
    first: str = "t[0]"


def _on_disk(package: str, name: str, reader: str) -> Refusal:
    """Return the row for arrays that a function of Dask's opens."""
    return Refusal(
        package,
        (name,),
        "an array on disk: all of it would be loaded",
        f"Open it chunk by chunk, with `dask.array.{reader}`, or read what is needed, "
        "e.g. all of it with `array[...]`.",
    )


#: Of several rows for a class, the first counts.
CONTAINERS = (
    Refusal(
        "pandas",
        ("DataFrame",),
        "a pandas object: its index would be lost",
        "Pass its values, with `to_numpy()`, or, where some are missing, with "
        "`to_numpy(float, na_value=numpy.nan)`.",
        first="t.min()",
    ),
    Refusal(
        "pandas",
        ("Series", "Index"),
        "a pandas object: its index would be lost",
        "Pass its values, with `to_numpy()`.",
        first="t.min()",
    ),
    Refusal(
        "pandas",
        ("BaseMaskedArray",),
        "a pandas array: its missing values are no numbers",
        "Pass its values, with `to_numpy(float, na_value=numpy.nan)`, and "
        "`where=~array.isna()` for samples, and a mask with "
        "`to_numpy(bool, na_value=False)`.",
    ),
    Refusal(
        "pint_pandas",
        ("PintArray",),
        "a column of pandas: its unit would be lost",
        "Pass its `quantity`.",
    ),
    Refusal(
        "pandas",
        ("ExtensionArray",),
        "a column of pandas: its dtype would be lost",
        "Pass its values, with `to_numpy()`.",
    ),
    Refusal(
        "pandas",
        ("Tick", "Day"),
        "an offset of dates: it is no number",
        "Pass its length in seconds, `offset.nanos / 1e9`.",
    ),
    Refusal(
        "pandas",
        ("BaseOffset",),
        "an offset of dates: how long it is depends on the date",
        "Pass coordinates, `(t - t[0]) / numpy.timedelta64(1, 's')` of the dates "
        "`t = pandas.date_range(start, periods=n, freq=offset).to_numpy()`, and as a "
        "period `(start + offset - start).total_seconds()`.",
    ),
    Refusal(
        "polars",
        ("LazyFrame",),
        "a table that is not computed",
        "Pass its values, with `collect().to_numpy()`.",
    ),
    Refusal(
        "dask",
        ("Series", "DataFrame", "Index"),
        "a dataframe of Dask: its index would be lost",
        "Pass its values, with `to_dask_array(lengths=True)`.",
        first="t.min()",
    ),
    Refusal(
        "awkward",
        ("Array",),
        "an array whose lines may have several lengths",
        "Convert it first, with `awkward.to_numpy(array)`; lines of several lengths "
        "after `awkward.pad_none(array, n, clip=True)`, by which they become masked.",
    ),
    Refusal(
        "scipy",
        ("sparray", "spmatrix"),
        "a sparse array: SciPy's follow no standard",
        "Convert it first, with `toarray()`.",
    ),
    Refusal(
        "cupyx",
        ("spmatrix",),
        "a sparse array: CuPy's follow no standard",
        "Convert it first, with `toarray()`.",
    ),
    Refusal(
        "jax",
        ("JAXSparse",),
        "a sparse array: JAX's follow no standard",
        "Convert it first, with `todense()`.",
    ),
    Refusal(
        "astropy",
        ("NDData",),
        "data with a mask and a unit, which would be lost",
        "Pass its `data`, times its `unit`, and `where=~array.mask`, as far as it has "
        "them.",
    ),
    Refusal(
        "iris",
        ("Cube",),
        "a labelled array: its labels would be lost",
        "Pass its `core_data()`, and the `core_points()` of its coordinates as "
        "`spacing`.",
    ),
    Refusal(
        "iris",
        ("Coord",),
        "a coordinate of a cube: its unit would be lost",
        "Pass its `core_points()`.",
    ),
    Refusal(
        "scipp",
        ("Variable", "DataArray"),
        "a labelled array: its labels and its unit would be lost",
        "Pass its `values`, and those of its coordinates as `spacing`.",
    ),
    Refusal(
        "xarray",
        ("Dataset", "DataTree"),
        "several labelled arrays: their labels would be lost",
        "Use `anygrad.xarray` for one of its variables, or for each of them.",
    ),
    Refusal(
        "xarray",
        ("DataArray", "Variable"),
        "a labelled array: its labels would be lost",
        "Use `anygrad.xarray`, or pass its `data`, and its coordinates' as `spacing`.",
    ),
    *[
        Refusal(
            package,
            (name,),
            "a file of several arrays",
            "Pass one of them, e.g. `array['name'][...]`.",
        )
        for package, name in (
            ("numpy", "NpzFile"),
            ("zarr", "Group"),
            ("h5py", "Group"),
            ("h5netcdf", "Group"),
            ("netCDF4", "Dataset"),
        )
    ],
    _on_disk("zarr", "Array", "from_zarr"),
    _on_disk("h5py", "Dataset", "from_array"),
    _on_disk("tiledb", "Array", "from_tiledb"),
    Refusal(
        "tensorstore",
        ("TensorStore",),
        "an array on disk: all of it would be loaded",
        "Read what is needed, e.g. all of it with `array.read().result()`.",
    ),
    Refusal(
        "scipy",
        ("netcdf_variable",),
        "a variable on disk: all of it would be loaded",
        "Read what is needed, e.g. all of it with `array[...]`.",
    ),
    Refusal(
        "h5netcdf",
        ("BaseVariable",),
        "a variable on disk: what fills its holes would be taken for samples",
        "Read what is needed, e.g. all of it with `values = array[...]`, and pass "
        "`where=values != array.attrs['_FillValue']`, if it has such an attribute.",
    ),
    Refusal(
        "netCDF4",
        ("Variable", "_Variable"),
        "a variable on disk: all of it would be loaded, and its mask lost",
        "Read what is needed, e.g. all of it with `array[...]`, which has the mask.",
    ),
    Refusal(
        "dask",
        ("Delayed",),
        "a delayed value: its shape and dtype are not known",
        "Make an array of it, with `dask.array.from_delayed(value, shape, dtype)`.",
    ),
    Refusal(
        "distributed",
        ("Future",),
        "a future: its shape and dtype are not known",
        "Pass its values, with `result()`, or make an array of it, with "
        "`dask.array.from_delayed(value, shape, dtype)`.",
    ),
    Refusal(
        "pytensor",
        ("Variable",),
        "a symbolic expression: it has no values yet",
        "Evaluate it first, with `array.eval()`.",
    ),
    Refusal(
        "casadi",
        ("MX", "SX"),
        "a symbolic expression: it has no values yet",
        "Evaluate it first, with a `casadi.Function`.",
    ),
    Refusal(
        "jax",
        ("Ref",),
        "a reference: what it holds may be another by then",
        "Pass its values, with `array[...]`.",
    ),
    Refusal(
        "blosc2",
        ("NDArray",),
        "a compressed array: its slices are NumPy arrays",
        "Pass its values, with `array[...]`.",
    ),
)
