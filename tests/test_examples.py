"""The examples run, are right, and give the pictures of the documentation."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
DRAWN = ROOT / "docs" / "_static"
LIBRARIES = ("numpy", "torch", "jax", "dask", "array_api_strict")

pytestmark = pytest.mark.peers


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the examples import each other, as they do when one is run."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if name == "drawings" or (file and EXAMPLES in Path(file).parents):
            del sys.modules[name]


@pytest.fixture
def pictures() -> ModuleType:
    return importlib.import_module("pictures")


@pytest.fixture
def terrain() -> ModuleType:
    return importlib.import_module("terrain")


@pytest.fixture
def vorticity() -> ModuleType:
    return importlib.import_module("drawings.vorticity")


def copied(values: Any, library_name: str) -> Any:
    """Return an array of a library."""
    return importlib.import_module("array_libraries").to_backend(values, library_name)


def back(array: Any) -> Any:
    """Return an array of NumPy."""
    return importlib.import_module("array_libraries").to_numpy(array)


@pytest.mark.parametrize(
    "name",
    [
        "boundaries",
        "convergence",
        "vorticity",
        "rotation",
        "lines",
        "longitude",
        "holes",
    ],
)
def test_pictures(
    pictures: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Each is drawn for light pages and dark ones, is small, and stands on a page."""
    assert pictures.main(["--output", str(tmp_path), "--only", name]) == 0
    paths = [tmp_path / f"{name}.png", tmp_path / f"{name}-dark.png"]
    assert capsys.readouterr().out == "".join(f"{path}\n" for path in paths)
    pages = [page.read_text("utf-8") for page in (ROOT / "docs").glob("guide/*.md")]
    for path in paths:
        for picture in (path, DRAWN / path.name):
            assert 5_000 < picture.stat().st_size < 150_000
        assert any(f"_static/{path.name}" in page for page in pages)
    light, dark = (path.read_bytes() for path in paths)
    assert light != dark


def test_there_are_no_other_pictures(pictures: Any) -> None:
    names = {path.stem for path in DRAWN.glob("*.png")}
    drawn = {*pictures.PICTURES, *(f"{name}-dark" for name in pictures.PICTURES)}
    assert names == drawn


def test_a_folder_that_does_not_exist(
    pictures: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["--output", str(tmp_path / "none"), "--only", "boundaries"]
    assert pictures.main(wanted) == 1
    assert "cannot write the picture" in capsys.readouterr().err


@pytest.mark.parametrize("library_name", LIBRARIES)
def test_vorticity(vorticity: Any, library_name: str) -> None:
    """Of a globe that turns as one: twice its speed times the sine of the latitude."""
    import numpy as np

    east, north = np.radians(np.arange(0.0, 360, 5)), np.radians(np.arange(20.0, 76, 2))
    speed = 1e-5 * vorticity.EARTH_RADIUS * np.cos(north)[:, None] + 0 * east
    arrays = [
        copied(a, library_name) for a in (np.stack([speed, 0 * speed]), east, north)
    ]
    found = back(vorticity.vorticity(*arrays))
    exact = 2e-5 * np.sin(north)[:, None] + 0 * east
    assert np.allclose(found, exact, rtol=1e-4)


def test_vorticity_has_no_seam(vorticity: Any) -> None:
    """Wherever the columns begin, each has the same value."""
    import numpy as np

    east, north = np.radians(np.arange(0.0, 360, 4)), np.radians(np.arange(20.0, 76, 4))
    field = vorticity.wind(east[None, :], north[:, None])
    whole = vorticity.vorticity(field, east, north)
    rolled = vorticity.vorticity(np.roll(field, 7, axis=2), east, north)
    assert np.allclose(np.roll(whole, 7, axis=1), rolled, rtol=1e-9, atol=1e-15)


def test_the_wind_has_no_divergence(vorticity: Any) -> None:
    """It is made of stream functions, and nearly all of it turns."""
    import numpy as np

    import anygrad

    east, north = np.radians(np.arange(0.0, 360)), np.radians(np.arange(20.0, 76))
    u, v = vorticity.wind(east[None, :], north[:, None])
    parallel = np.cos(north)[:, None]
    divergence = anygrad.divergence(
        np.stack([u, v * parallel]),
        dim=(2, 1),
        spacing=[east, north],
        accuracy=6,
        boundary=[("periodic", 2 * math.pi), "one_sided"],
    )
    turning = vorticity.vorticity(np.stack([u, v]), east, north)
    outward = divergence / parallel / vorticity.EARTH_RADIUS
    assert np.abs(outward).max() < 0.02 * np.abs(turning).max()


@pytest.mark.parametrize("library_name", LIBRARIES)
def test_dark_lines(library_name: str) -> None:
    """A dark line is found along its length, and a bright one is not."""
    import numpy as np

    drawing = importlib.import_module("drawings.lines")
    rows, columns = np.indices((21, 41), dtype=np.float64)
    dark, bright = (np.exp(-((columns - c) ** 2) / 8) for c in (12, 28))
    picture = copied(bright - dark + 0 * rows, library_name)
    lines = back(drawing.dark_lines(drawing.smoothed(picture, 1.0)))
    assert (lines >= 0).all()
    assert (lines.argmax(axis=1) == 12).all()
    assert (lines[:, 28] < 1e-6).all()


@pytest.mark.parametrize("library_name", LIBRARIES)
def test_the_first_cell(library_name: str) -> None:
    import numpy as np

    drawing = importlib.import_module("drawings.longitude")
    wave = drawing.parallel_wave(np.arange(2.5, 360, 5.0))
    found = drawing.slopes_around(
        copied(wave.temperature, library_name),
        copied(wave.longitude, library_name),
    )
    errors = {name: np.abs(back(slope) - wave.slope) for name, slope in found.items()}
    assert errors["one_sided"][0] > 5 * errors["periodic"][0]
    assert errors["one_sided"][1:-1] == pytest.approx(
        errors["periodic"][1:-1], abs=1e-4
    )


@pytest.mark.parametrize("library_name", LIBRARIES)
def test_errors_against_the_step(library_name: str) -> None:
    import numpy as np

    drawing = importlib.import_module("drawings.convergence")
    grids = [2 * np.pi * np.arange(count) / count for count in (32, 64)]
    samples = [copied(np.exp(np.sin(x)), library_name) for x in grids]
    for accuracy in (2, 4):
        coarse, fine = drawing.wave_errors(samples, accuracy)
        assert math.log2(coarse / fine) == pytest.approx(accuracy, abs=0.3)


@pytest.mark.parametrize("library_name", LIBRARIES)
def test_terrain(
    terrain: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], library_name: str
) -> None:
    path = tmp_path / "terrain.png"
    assert terrain.main(["--backend", library_name, "--output", str(path)]) == 0
    assert path.stat().st_size > 100_000
    said = capsys.readouterr().out
    assert f"backend         {library_name}" in said
    assert "0.7270 m/m, 36.02°" in said


@pytest.mark.parametrize("landscape", ["jacksboro", "topobathy"])
def test_the_steepest_point_is_not_cut_by_the_frame(
    terrain: Any, landscape: str
) -> None:
    """It is the greatest maximum of the land, and not where the land is cut."""
    import numpy as np

    grid = terrain.load(landscape)
    analysis = terrain.analyse(grid.elevation, grid.longitude, grid.latitude)
    point = terrain.steepest_point(grid, analysis)
    for place, coordinate in (
        (point.longitude, grid.longitude),
        (point.latitude, grid.latitude),
    ):
        index = int(np.argmin(np.abs(coordinate - place)))
        assert 8 <= index < coordinate.size - 8
