"""How pictures look on light pages and on dark ones, and what stands on their axes."""

import io

from array_libraries import ExampleError

# Places in the cycle of colours, which each style of a picture fills with its own.
INK, PALE, ACCENT, OTHER, PANEL, PAPER = (f"C{place}" for place in range(6))

# Dark, light and two accents, which colour-blind readers tell apart too (Okabe and Ito
# 2008, "Color universal design"), a panel, and the background.
STYLES = {
    "light": ["#1b1f24", "#8a929b", "#d55e00", "#0072b2", "#f1f3f5", "#ffffff"],
    "dark": ["#d5d8db", "#8a929b", "#f08a3c", "#56b4e9", "#23262a", "#131416"],
}

# What is said of a picture in small print.
NOTE = {"fontsize": 9, "alpha": 0.8}


def draw_into(output, style, size, draw_on, write):
    """Draw a picture into a file.

    Parameters
    ----------
    output : path-like
        The file.
    style : {"light", "dark"}
        The pages that the picture is for.
    size : (float, float)
        Width and height in inches.
    draw_on : callable
        Draws on the figure that it is given.
    write : callable
        Writes a figure into a file, as `write_any` and `write_small` do.

    Raises
    ------
    ExampleError
        If matplotlib is missing, or the file cannot be written.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ExampleError(f"matplotlib is needed: {error}") from error
    with rc_context(settings(STYLES[style])):
        # A bare Figure needs neither pyplot nor a display.
        figure = Figure(figsize=size, layout="compressed")
        draw_on(figure)
        try:
            write(figure, output)
        except (OSError, ValueError) as error:  # ValueError: unknown suffix
            raise ExampleError(f"cannot write the picture: {error}") from error


def in_both_styles(name, size, draw_on, folder):
    """Draw a figure for light pages and for dark ones, and return the files."""
    paths = {"light": folder / f"{name}.png", "dark": folder / f"{name}-dark.png"}
    for style in STYLES:
        draw_into(paths[style], style, size, draw_on, write_small)
    return list(paths.values())


def settings(colours):
    """Return matplotlib's settings for these colours, the first and the last of all."""
    from matplotlib import cycler

    ink, paper = colours[0], colours[-1]
    coloured = ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor")
    coloured += ("xtick.color", "ytick.color", "legend.labelcolor")
    plain = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return {
        **dict.fromkeys(coloured, ink),
        **dict.fromkeys(plain, paper),
        "axes.prop_cycle": cycler(color=colours),
    }


def write_any(figure, output):
    """Write a picture in the format that its suffix names."""
    figure.savefig(output, dpi=150)


def write_small(figure, output):
    """Write a PNG in 256 colours, which takes a third of the bytes."""
    from PIL import Image  # matplotlib needs it, too

    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110)
    picture = Image.open(buffer).convert("RGB")
    reduced = picture.quantize(256, dither=Image.Dither.NONE)
    reduced.save(output, optimize=True)


def open_axes(axes):
    """Leave out the frame of a plot at its top and on its right."""
    axes.spines[["top", "right"]].set_visible(False)


def add_titles(axes, title, note):
    """Head a map with its title, and a note at the right."""
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=20)
    axes.text(0, 1.015, note, transform=axes.transAxes, fontsize=10, alpha=0.75)


def add_colour_bar(axes, colours, label):
    """Add a colour bar as high as the map."""
    bar = axes.figure.colorbar(colours, cax=axes.inset_axes([1.025, 0, 0.03, 1]))
    bar.set_label(label)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=9)


def show_degrees(axis, text):
    """Write the numbers along an axis as degrees, by one of the functions below."""
    axis.set_major_formatter(lambda degrees, _: text(degrees))


def latitude_text(degrees, digits="g"):
    """Write a latitude as ``"48.75° N"``, with the digits of a format spec."""
    return f"{abs(degrees):{digits}}° {'N' if degrees >= 0 else 'S'}"


def longitude_text(degrees, digits="g"):
    """Write a longitude as ``"123.5° W"``, with the digits of a format spec."""
    return f"{abs(degrees):{digits}}° {'E' if degrees >= 0 else 'W'}"
