"""The slopes of a landscape, as `terrain.py` draws them."""

from array_libraries import to_backend
from landscapes import load
from maps import draw_maps
from terrain import analyse, steepest_point

SIZE = (11.7, 5.75)


def draw(figure, backend):
    """Draw shaded relief and slopes."""
    terrain = load("jacksboro")
    elevation = to_backend(terrain.elevation, backend)
    analysis = analyse(
        elevation, terrain.longitude, terrain.latitude, terrain.exaggeration
    )
    draw_maps(figure, terrain, analysis, steepest_point(terrain, analysis))
