"""What sphinx-gallery is told of the pictures of recipes, by name, in `conf.py`."""

import shutil
from pathlib import Path

from sphinx_gallery.scrapers import figure_rst


def transparent(_gallery_conf, _name):
    """Have pictures drawn that are readable on light pages and on dark ones."""
    from matplotlib import rcParams

    inks = ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor")
    inks += ("xtick.color", "ytick.color", "legend.edgecolor")
    rcParams.update(dict.fromkeys(inks, "#7d848c"))
    rcParams.update({"savefig.transparent": True, "legend.framealpha": 0.0})
    rcParams.update({"figure.facecolor": "none", "axes.facecolor": "none"})


def animations(_block, block_vars, gallery_conf):
    """Return the reST of the animations that a block has saved beside its script."""
    folder = Path(block_vars["src_file"]).parent
    found = []
    for animation in sorted(folder.glob("*.gif")):
        place = Path(next(block_vars["image_path_iterator"])).with_suffix(".gif")
        shutil.move(animation, place)
        found.append(str(place))
    return figure_rst(found, gallery_conf["src_dir"], "An animation")
