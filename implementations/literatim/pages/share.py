"""The pictures that other sites show beside a link to a page: drawn where it is known where the site will be served."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path

from literatim.pages.claims import ORDER
from literatim.pages.edition import Edition, Entry
from literatim.pages.picture import source
from literatim.pages.words import word

SIZE = (1200, 630)  # pixels, as the Open Graph's readers ask for them
GROUND, INK, PALE = "#232a4a", "#ffffff", "#b9c3ff"


def shares(edition: Edition) -> dict[str, bytes]:
    """`papers/share.png` for all pages, and one below each paper's folder."""
    entries = edition.entries.values()
    lead = "\n".join(textwrap.wrap(word("home-description", "en"), 34))
    files = {"papers/share.png": _card("literatim", lead, f"{len(entries)} papers", None)}
    return files | {f"papers/{entry.id}/share.png": of_paper(entry) for entry in entries}


def of_paper(entry: Entry) -> bytes:
    counted = entry.count(causes=True)
    told = " · ".join(f"{counted[name]} {word(name, 'en')}" for name in ORDER if counted[name])
    found = source(entry)
    title = "\n".join(textwrap.wrap(entry.card.title, 30 if found else 46)[:5])
    return _card(f"{entry.name} ({entry.card.year})", title, told, found and found[1])


def _card(name: str, title: str, told: str, picture: Path | None) -> bytes:
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    def font(size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)

    whole = Image.new("RGB", SIZE, GROUND)
    draw = ImageDraw.Draw(whole)
    draw.text((60, 56), "literatim", PALE, font(30))
    draw.text((60, 120), name, INK, font(54))
    draw.multiline_text((60, 215), title, INK, font(34), spacing=14)
    draw.multiline_text((60, 530), "\n".join(textwrap.wrap(told, 66)), PALE, font(26))
    if picture:
        with Image.open(picture) as seen:
            seen.seek(getattr(seen, "n_frames", 1) // 3)
            small = seen.convert("RGB")
            small.thumbnail((420, 300), Image.Resampling.LANCZOS)
            whole.paste(small, (SIZE[0] - 60 - small.width, 200))
    kept = io.BytesIO()
    whole.quantize(64).save(kept, "PNG", optimize=True)
    return kept.getvalue()
