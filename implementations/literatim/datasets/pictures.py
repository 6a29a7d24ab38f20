"""Picture files of any kind as 8-bit levels, upright and on white paper: one reader for digits and photographs.

What the depths mean, where a file does not say: a grey picture of 16 or 32 bits, or of floating point numbers, is white
at the smallest of 1, 255, 4095 and 65535 that its lightest pixel does not exceed, for cameras and microscopes store 8
and 12 bits in 16 as they are. A TIFF that declares 12 bits and a PPM, whose header names its white, are taken at their
word. Colours of 16 bits are read by their upper eight, which is all that Pillow gives.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, TiffImageFile

from literatim.errors import LiteratimError

# Pillow opens by content, whatever a file is called. PostScript and PDF, which it hands to another program, and the
# formats of games and satellites stay closed.
RASTERS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000")
LARGEST = 128_000_000  # pixels: photographs of telephones have up to 108 million; in memory that is half a gigabyte
DEPTHS = (1, 255, 4095, 65535)
OVERSHOOT = 1.25  # what scaling with a cubic filter adds to the white of floating point pictures
ORIENTATION = 0x0112  # EXIF's tag for how the camera was held
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


@contextmanager
def picture(path: str | os.PathLike[str] | bytes, largest: int = LARGEST) -> Iterator[Image.Image]:
    """The opened file; its size is looked at before anything is decoded.

    Raises LiteratimError, naming the file, for whatever goes wrong with it, in the body of the `with` too.
    """
    name = os.fsdecode(path)
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):  # a pipe would be waited for
            raise LiteratimError("not an image that can be read, but a folder, pipe or device")
        # Pillow warns of broken EXIF data and of images beyond 89 million pixels; both can be read.
        with warnings.catch_warnings(action="ignore"), Image.open(name, formats=rasters()) as file:
            if file.width * file.height > largest:
                raise LiteratimError(
                    f"an image of {file.width:,} x {file.height:,} pixels; {largest:,} at most are read: scale it down"
                )
            scale_key(file)
            with quiet_libtiff(file):
                yield file
    except LiteratimError as error:
        raise LiteratimError(f"{name}: {error}") from None
    except FileNotFoundError:
        raise LiteratimError(f"{name}: there is no such file") from None
    except Image.DecompressionBombError:  # beyond 179 million Pillow does not open it
        raise LiteratimError(
            f"{name}: an image of more than {largest:,} pixels, which are not read: scale it down"
        ) from None
    except UnidentifiedImageError:
        kinds = ", ".join(name for name in rasters() if name not in ("MPO", "DIB"))  # these are JPEG and BMP to people
        raise LiteratimError(f"{name}: not an image that can be read: it is none of {kinds}") from None
    except Exception as error:  # decoders raise anything from OSError to struct.error
        why = " ".join(str(error).split()) or type(error).__name__
        raise LiteratimError(f"{name}: not an image that can be read: {why}; mend it or remove it") from None


def read_picture(path: str | os.PathLike[str] | bytes, largest: int = LARGEST) -> Image.Image:
    """A picture file in RGB, upright, on white paper. Raises LiteratimError, naming the file, if it cannot be read."""
    with picture(path, largest) as file:
        image = rgb(file)
        return upright(image, orientation(file))


@cache
def rasters() -> list[str]:
    """Those of RASTERS that the installed Pillow knows."""
    Image.init()
    logging.getLogger("PIL").setLevel(logging.CRITICAL)  # what it remarks on damaged files is in its exceptions
    return [name for name in RASTERS if name in Image.OPEN]


def scale_key(file: Image.Image) -> None:
    """Pillow brings the pixels of a PNG to 8 bits, but leaves the level that is clear as it was in the file."""
    key = file.info.get("transparency")
    if isinstance(file, PngImageFile) and file.tile and key is not None:
        kind = file.tile[0].args
        if kind in ("L;2", "L;4"):
            file.info["transparency"] = key * {"L;2": 85, "L;4": 17}[kind]
        if kind == "RGB;16B":
            file.info["transparency"] = tuple(level >> 8 for level in key)


@contextmanager
def quiet_libtiff(file: Image.Image) -> Iterator[None]:
    """libtiff writes remarks on damaged files to the process's error output itself."""
    if not isinstance(file, TiffImageFile) or sys.stderr is None:  # None where a service runs without one
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def orientation(file: Image.Image) -> int:
    """1 to 8; of TIFF and PNG it is certain only after `load`."""
    try:
        return int(file.getexif().get(ORIENTATION, 1))
    except Exception:  # a picture with broken EXIF data is still a picture
        return 1


def upright(image: Image.Image, held: int) -> Image.Image:
    return image.transpose(TURNS[held]) if held in TURNS else image


def rgb(file: Image.Image) -> Image.Image:
    """RGB of an opened file, of several pictures in it the first; transparent parts as white paper; not yet upright."""
    if file.mode.startswith(("I", "F")):  # `convert` would clip these at 255
        return Image.fromarray(eight_bits(file)).convert("RGB")
    image = file.convert("LA") if file.mode == "La" else file
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        clear = image.convert("RGBA")
        paper = Image.new("RGB", clear.size, "white")
        paper.paste(clear, mask=clear.getchannel("A"))
        return paper
    return image.convert("RGB")


def eight_bits(file: Image.Image) -> NDArray[np.uint8]:
    """(h, w) from 0 to 255: a grey picture of integers of more than 8 bits or of floating point numbers."""
    found = np.asarray(file)
    levels = found.astype(np.float32)
    whole = np.isfinite(levels)
    white = white_of(file, float(levels.max(where=whole, initial=0)))
    del whole
    np.nan_to_num(levels, copy=False, nan=0, posinf=white, neginf=0).clip(0, white, out=levels)
    if tag(file, PHOTOMETRIC_INTERPRETATION) == 0:  # white is zero; of 8 bits Pillow turns it itself
        np.subtract(white, levels, out=levels)
    if (clear := file.info.get("transparency")) is not None:
        levels[found == clear] = white
    levels *= 255 / white
    return levels.round(out=levels).astype(np.uint8)


def white_of(file: Image.Image, lightest: float) -> float:
    """The level of white: see the head of this file. Beyond 65535 it is the lightest pixel."""
    if file.format == "PPM" and file.mode == "I":  # scaled to 16 bits by Pillow
        return 65535
    if tag(file, BITSPERSAMPLE) == (12,):
        return 4095
    least = lightest / (OVERSHOOT if file.mode == "F" else 1)
    return next((depth for depth in DEPTHS if least <= depth), lightest)


def tag(file: Image.Image, number: int) -> Any:
    return file.tag_v2.get(number) if isinstance(file, TiffImageFile) else None
