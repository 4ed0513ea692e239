"""Eight pictures of derivatives, computed in any array library.

Draws what each boundary does, how errors fall with the step, the vorticity of a wind
around the globe, that of a sphere that turns, the lines of a photograph, the first cell
of a longitude, holes in a second derivative, and the slopes of a landscape::

    python pictures.py
    python pictures.py --backend torch --output docs/_static --only vorticity

Each picture has a file in `drawings`, with functions that compute, written for any
library that follows the array API standard, and one that draws.

Needs matplotlib (``pip install ".[example]"`` in a checkout), and the library named
by ``--backend``.
"""

import argparse
import sys
from pathlib import Path

from array_libraries import BACKENDS, ExampleError
from drawings import (
    boundaries,
    convergence,
    holes,
    landscape,
    lines,
    longitude,
    rotation,
    vorticity,
)
from looks import in_both_styles

#: Name of the picture, and the module that draws it.
PICTURES = {
    "boundaries": boundaries,
    "convergence": convergence,
    "vorticity": vorticity,
    "rotation": rotation,
    "lines": lines,
    "longitude": longitude,
    "holes": holes,
    "terrain": landscape,
}


def draw(name, backend, folder):
    """Draw one picture into a folder, in both styles.

    Parameters
    ----------
    name : str
        A key of `PICTURES`.
    backend : str
        A key of `array_libraries.BACKENDS`.
    folder : pathlib.Path
        An existing folder.

    Returns
    -------
    list of pathlib.Path
        The files: `name.png` for light pages, `name-dark.png` for dark ones.

    Raises
    ------
    ExampleError
        If something is missing that the picture needs, or it cannot be written.
    """
    module = PICTURES[name]
    return in_both_styles(
        name, module.SIZE, lambda figure: module.draw(figure, backend), folder
    )


def parse_arguments(argv):
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Eight pictures of derivatives, computed with anygrad in any array "
        "library."
    )
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default="numpy",
        help="array library that computes (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="where to write the pictures (default: here)",
    )
    parser.add_argument(
        "--only",
        choices=PICTURES,
        action="append",
        help="draw this one; may be repeated",
    )
    return parser.parse_args(argv)


def main(argv=None):
    """Draw the pictures that were asked for; return the exit status."""
    arguments = parse_arguments(argv)
    try:
        for name in arguments.only or PICTURES:
            print(*draw(name, arguments.backend, arguments.output), sep="\n")
    except ExampleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
