"""The one look of all figures, and how a figure reaches the page: a small PNG that is the same on every run."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DOTS_PER_INCH = 144
WIDTH_INCHES = 8.0
TEXT_POINTS = 10
SMALL_POINTS = 9
SMALLEST_POINTS = 8
RENDERINGS = ((DOTS_PER_INCH, (64, 16)), (120, (16,)))
MOST_BYTES = 60_000
INK = "#222222"
QUIET = "#6b6b6b"
LINE_STYLES = ("-", (0, (5, 1.5)), (0, (3, 1.2, 1, 1.2)), (0, (1, 1)), (0, (7, 1.5, 1, 1.5, 1, 1.5)), (0, (9, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
# From Okabe and Ito's set by way of seaborn, in an order in which neighbours also differ in lightness.
_ORDER = (0, 1, 2, 4, 5, 3, 7, 9)
# From dark to light, so that they differ in greyscale too.
EVENT_COLOURS = {"relapse": "#0b4f7d", "next_line": "#4c9bd0", "death": "#b9b9b9", "event-free": "#f1f4f6"}


def colours(count: int) -> list:
    """As many colours as there are strata, safe for colour-blind readers; beyond eight they come again."""
    import seaborn

    palette = seaborn.color_palette("colorblind")
    # A quarter darker: the same colours then carry the labels' text with enough contrast on white.
    darker = [tuple(round(0.75 * part, 4) for part in colour) for colour in palette]
    return [darker[_ORDER[number % len(_ORDER)]] for number in range(count)]


@contextlib.contextmanager
def paper():
    """Seaborn's ticks theme with the fonts that matplotlib brings along, whatever the machine's own settings are."""
    import matplotlib
    import seaborn

    settings = {
        **seaborn.axes_style("ticks"),
        **seaborn.plotting_context("paper"),
        "font.family": "DejaVu Sans",
        "font.size": TEXT_POINTS,
        "axes.labelsize": TEXT_POINTS,
        "axes.titlesize": TEXT_POINTS,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "xtick.labelsize": SMALL_POINTS,
        "ytick.labelsize": SMALL_POINTS,
        "legend.fontsize": SMALL_POINTS,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "lines.linewidth": 1.8,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": QUIET,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "text.usetex": False,
        "text.parse_math": False,
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def new_figure(height_inches: float, width_inches: float = WIDTH_INCHES) -> Figure:
    """An empty figure that pyplot knows nothing of: nothing to close, nothing shown twice."""
    return Figure(figsize=(width_inches, height_inches), dpi=DOTS_PER_INCH, facecolor="white", layout="constrained")


def empty_figure(reason: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    with paper():
        fig = new_figure(1.2)
        axes = fig.subplots()
        axes.axis("off")
        axes.text(0.5, 0.5, reason, ha="center", va="center", color=QUIET)
    return fig


def png(fig: Figure) -> bytes:
    """The figure as PNG of few colours: a third of the bytes, no date and no program name in it.

    As many colours are kept as fit into `MOST_BYTES`; sixteen still hold every curve and smooth letters. A figure too
    full even so is made of fewer dots.
    """
    packed = b""
    for dots_per_inch, colour_counts in RENDERINGS:
        with paper():
            fig.set_dpi(dots_per_inch)
            canvas = FigureCanvasAgg(fig)
            canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].astype(np.int64)
        for packed in _packed(pixels @ [1 << 16, 1 << 8, 1], colour_counts, dots_per_inch):
            if len(packed) <= MOST_BYTES:
                return packed
    return packed


def _packed(codes: np.ndarray, colour_counts: tuple[int, ...], dots_per_inch: int):
    """The picture with fewer and fewer colours, as PNG."""
    from PIL import Image

    found, place, counts = np.unique(codes, return_inverse=True, return_counts=True)
    tints = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
    palette = _palette(tints, counts, max(colour_counts))
    for count in colour_counts:
        nearest = ((tints[:, None, :] - palette[None, :count, :]) ** 2).sum(axis=2).argmin(axis=1)
        image = Image.fromarray(nearest.astype(np.uint8)[place].reshape(codes.shape))
        image.putpalette(palette[:count].astype(np.uint8).tobytes())
        packed = io.BytesIO()
        image.save(packed, format="PNG", compress_level=9, bits=8 if count > 16 else 4, dpi=(dots_per_inch,) * 2)
        yield packed.getvalue()


def _palette(tints: np.ndarray, counts: np.ndarray, most: int) -> np.ndarray:
    """The most frequent tint, then again and again the one that is missed most: by how many dots, and how far off."""
    chosen = [int(counts.argmax())]
    distance = np.full(len(tints), np.inf)
    while len(chosen) < min(most, len(tints)):
        distance = np.minimum(distance, ((tints - tints[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int((counts * distance).argmax()))
    return tints[chosen]


def show(fig: Figure, alt: str) -> None:
    """Put a figure on the page together with the text that stands for it where it cannot be seen.

    Parameters
    ----------
    fig : Figure
        as the functions of this room return it.
    alt : str
        what the figure says, with its numbers; `present.words.alt_...` makes it from the same frames.

    Raises
    ------
    ValueError
        when the alt text is empty: a figure without one is silent for readers who cannot see it.
    """
    from IPython.display import Image, display

    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt: expected a text that says what the figure shows, came none; take it from words.alt_...")
    alt = " ".join(alt.split())
    width = round(fig.get_figwidth() * 96)
    display(Image(data=png(fig), format="png", width=width), metadata={"image/png": {"alt": alt, "width": width}})
    fig.clear()


def spread(heights: list[float], gap: float, low: float, high: float) -> list[float]:
    """Places for labels near their curves' ends that keep a gap between neighbours and stay inside the axes."""
    order = sorted(range(len(heights)), key=lambda number: heights[number])
    places = [0.0] * len(heights)
    floor = low
    for number in order:
        places[number] = floor = max(heights[number], floor)
        floor += gap
    ceiling = high
    for number in reversed(order):
        places[number] = ceiling = min(places[number], ceiling)
        ceiling -= gap
    return places
