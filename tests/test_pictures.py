"""Picture files of every kind that cameras, scanners and microscopes write: the same image gives the same levels."""

import io
import os
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, features

from literatim.datasets import images, pictures
from literatim.datasets.cifar10 import read_file
from literatim.datasets.images import read_digit
from literatim.datasets.photographs import View, read_photograph
from literatim.datasets.pictures import ORIENTATION, TURNS, read_picture
from literatim.errors import LiteratimError

GREY = np.arange(256, dtype=np.uint8).reshape(8, 32).repeat(2, 0)  # every level, (16, 32)
RGB = np.stack([GREY, GREY[::-1], np.full_like(GREY, 90)], -1)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(pixels: np.ndarray, depth: int, colours: int, *more: bytes) -> bytes:
    """A PNG of numbers of `depth` bits as they are, which Pillow cannot write of every kind."""
    height, width = pixels.shape[:2]
    kind = ">u2" if depth == 16 else "u1"
    if depth < 8:
        bits = np.unpackbits(pixels[..., None].astype(np.uint8), axis=2)[..., 8 - depth :]
        pixels = np.packbits(bits.reshape(height, -1), axis=1)
    rows = b"".join(b"\0" + row.astype(kind).tobytes() for row in pixels)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(content: bytes, bits: list[int], order: str = "<", **tags: int) -> bytes:
    """A TIFF of one strip (32 x 16), with the tags given by name beside the needed ones."""
    numbers = {"photometric": 262, "kind": 339, "extra": 338}
    found = {256: [32], 257: [16], 258: bits, 259: [1], 262: [1], 273: [8], 277: [len(bits)], 278: [16]}
    found |= {279: [len(content)]} | {numbers[name]: [value] for name, value in tags.items()}
    at = 8 + len(content)
    beyond = at + 2 + 12 * len(found) + 4
    rows, rest = b"", b""
    for number in sorted(found):
        values = b"".join(struct.pack(f"{order}H", value) for value in found[number])
        if len(values) > 4:
            rows += struct.pack(f"{order}HHII", number, 3, len(found[number]), beyond + len(rest))
            rest += values
        else:
            rows += struct.pack(f"{order}HHI", number, 3, len(found[number])) + values.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", at)
    return head + content + struct.pack(f"{order}H", len(found)) + rows + struct.pack(f"{order}I", 0) + rest


def twelve(pixels: np.ndarray) -> bytes:
    """Two numbers of twelve bits in three bytes."""
    one, two = pixels.reshape(-1, 2).astype(int).T
    return np.stack([one >> 4, (one & 15) << 4 | two >> 8, two & 255], -1).astype(np.uint8).tobytes()


def saved(image: Image.Image, kind: str, **how) -> bytes:
    to = io.BytesIO()
    image.save(to, kind, **how)
    return to.getvalue()


def with_holes(pixels: np.ndarray) -> np.ndarray:
    """Floating point numbers, of which the black is not a number or below all, and the white beyond all."""
    out = pixels.astype(np.float32) / 255
    out[pixels == 0] = np.nan
    out[pixels == 255] = np.inf
    out[pixels == 1] = -np.inf
    return out


L, WIDE = Image.fromarray(GREY), GREY.astype(np.uint16) * 257
TWELVE = ((GREY.astype(np.uint32) * 4095 + 127) // 255).astype(np.uint16)
GREYS = {  # what the file holds, and how far from GREY its levels may lie
    "PNG of 8 bits": (saved(L, "PNG"), 0),
    "PNG of 16 bits": (saved(Image.fromarray(WIDE), "PNG"), 0),
    "PNG of 12 bits in 16": (png(TWELVE, 16, 0), 0),
    "PNG of 8 bits in 16": (png(GREY, 16, 0), 0),
    "PNG of 16 bits with alpha": (png(np.stack([WIDE, np.full_like(WIDE, 65535)], -1), 16, 4), 0),
    "TIFF of 16 bits": (saved(Image.fromarray(WIDE), "TIFF"), 0),
    "TIFF of 16 bits, the high byte first": (tiff(WIDE.astype(">u2").tobytes(), [16], ">"), 0),
    "TIFF of 16 bits in which zero is white": (tiff((65535 - WIDE).astype("<u2").tobytes(), [16], photometric=0), 0),
    "TIFF of 8 bits in which zero is white": (tiff((255 - GREY).tobytes(), [8], photometric=0), 0),
    "TIFF of 12 bits, packed": (tiff(twelve(TWELVE), [12]), 0),
    "TIFF of 32 bits": (saved(Image.fromarray(WIDE.astype(np.int32)), "TIFF"), 0),
    "TIFF of 32 bits, 24 used": (saved(Image.fromarray(GREY.astype(np.int32) * 65793), "TIFF"), 0),
    "floats to 1": (saved(Image.fromarray(GREY.astype(np.float32) / 255), "TIFF"), 0),
    "floats to 255": (saved(Image.fromarray(GREY.astype(np.float32)), "TIFF"), 0),
    "floats to 65535": (saved(Image.fromarray(WIDE.astype(np.float32)), "TIFF"), 0),
    "floats that are none": (saved(Image.fromarray(with_holes(GREY)), "TIFF"), 1),
    "PGM": (b"P5 32 16 255\n" + GREY.tobytes(), 0),
    "PGM of 16 bits": (b"P5 32 16 65535\n" + WIDE.astype(">u2").tobytes(), 0),
    "PGM with its white at 4095": (b"P5 32 16 4095\n" + TWELVE.astype(">u2").tobytes(), 0),
    "PFM": (b"Pf\n32 16\n-1\n" + (GREY[::-1].astype("<f4") / 255).tobytes(), 0),
    "grey with alpha": (saved(L.convert("LA"), "PNG"), 0),
    "TIFF of grey with alpha": (saved(L.convert("LA"), "TIFF"), 0),
    "palette": (saved(L.convert("P"), "PNG"), 0),
    "GIF": (saved(L, "GIF"), 0),
    "GIF of three pictures": (saved(L, "GIF", save_all=True, append_images=[Image.new("L", L.size)] * 2), 0),
    "BMP": (saved(L, "BMP"), 0),
    "BMP of colours": (saved(L.convert("RGB"), "BMP"), 0),
    "WEBP": (saved(L.convert("RGB"), "WEBP", lossless=True), 0),
    "JPEG": (saved(L, "JPEG", quality=100), 2),
    "JPEG of colours": (saved(L.convert("RGB"), "JPEG", quality=100), 4),
    "JPEG for printing": (saved(L.convert("CMYK"), "JPEG", quality=100), 4),
    "TIFF for printing": (saved(L.convert("CMYK"), "TIFF"), 1),
    "TIFF of YCbCr": (saved(L.convert("YCbCr"), "TIFF"), 1),
    "RGBA": (saved(L.convert("RGBA"), "PNG"), 0),
    "AVIF": (saved(L.convert("RGB"), "AVIF", quality=100) if features.check("avif") else b"", 4),
    "JPEG 2000": (saved(L, "JPEG2000") if features.check("jpg_2000") else b"", 1),
}
COLOURS = {
    "PNG": (saved(Image.fromarray(RGB), "PNG"), 0),
    "PNG of 16 bits": (png(RGB.astype(np.uint16) * 257, 16, 2), 0),
    "PNG of 16 bits with alpha": (
        png(np.concatenate([RGB, np.full_like(RGB[..., :1], 255)], -1).astype(np.uint16) * 257, 16, 6), 0,
    ),
    "PPM": (b"P6 32 16 255\n" + RGB.tobytes(), 0),
    "PPM of 16 bits": (b"P6 32 16 65535\n" + (RGB.astype(">u2") * 257).tobytes(), 0),
    "TIFF": (saved(Image.fromarray(RGB), "TIFF"), 0),
    "BMP": (saved(Image.fromarray(RGB), "BMP"), 0),
    "WEBP": (saved(Image.fromarray(RGB), "WEBP", lossless=True), 0),
    "TIFF of YCbCr": (saved(Image.fromarray(RGB).convert("YCbCr"), "TIFF"), 3),
    "TIFF for printing": (saved(Image.fromarray(RGB).convert("CMYK"), "TIFF"), 1),
    "JPEG for printing": (saved(Image.fromarray(RGB).convert("CMYK"), "JPEG", quality=100), 6),
    "JPEG": (saved(Image.fromarray(RGB), "JPEG", quality=100, subsampling=0), 6),
}  # fmt: skip


def shown(path) -> dict[str, np.ndarray]:
    """The levels that each of the readers sees."""
    return {
        "plain": np.asarray(read_picture(path)).astype(int),
        "photographs": read_photograph(str(path), View("none", 1, (16, 16))).astype(int),
        "digits": (images._grey(str(path)) * 255).round().astype(int)[..., None],
    }


@pytest.mark.parametrize("kind", GREYS)
def test_a_grey_picture_of_any_kind_has_the_same_levels(tmp_path, kind):
    content, off = GREYS[kind]
    if not content:
        pytest.skip("this Pillow was built without it")
    (tmp_path / "a").write_bytes(content)
    for reader, levels in shown(tmp_path / "a").items():
        assert np.abs(levels - GREY[..., None]).max() <= off, reader


@pytest.mark.parametrize("kind", COLOURS)
def test_a_colour_picture_of_any_kind_has_the_same_levels(tmp_path, kind):
    content, off = COLOURS[kind]
    (tmp_path / "a").write_bytes(content)
    found = shown(tmp_path / "a")
    for reader in ("plain", "photographs"):
        assert np.abs(found[reader] - RGB).max() <= off, reader


@pytest.mark.parametrize(
    "content",
    [tiff(twelve(GREY), [12]), b"P5 32 16 4095\n" + GREY.astype(">u2").tobytes()],
    ids=["TIFF of 12 bits", "PGM with its white at 4095"],
)
def test_a_dark_picture_whose_file_declares_its_white_stays_dark(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert np.abs(shown(tmp_path / "a")["plain"] - GREY[..., None] * (255 / 4095)).max() <= 1


def test_a_picture_of_one_bit_is_black_and_white(tmp_path):
    one = Image.fromarray(GREY > 100)
    for kind in ("PNG", "TIFF", "BMP", "GIF", "PPM"):
        one.save(tmp_path / "a", kind)
        for levels in shown(tmp_path / "a").values():
            assert np.array_equal(levels, np.broadcast_to((GREY > 100)[..., None] * 255, levels.shape)), kind


# --- transparency: RIGHT is clear, so that white paper shows there whatever colour lies under it

RIGHT = np.arange(32)[None].repeat(16, 0) >= 16
CLEAR = np.where(RIGHT, 0, 255).astype(np.uint8)
ON_PAPER = np.where(RIGHT, 255, GREY)
KEYED = np.where(RIGHT, 7, np.maximum(GREY, 8)).astype(np.uint8)  # 7 is the colour that is clear
BELOW = np.where(CLEAR == 0, 0, GREY).astype(np.uint8)  # premultiplied
TRANSPARENT = {
    "LA": saved(Image.fromarray(np.stack([GREY, CLEAR], -1), "LA"), "PNG"),
    "LA of 16 bits": png(np.stack([WIDE, CLEAR.astype(np.uint16) * 257], -1), 16, 4),
    "RGBA": saved(Image.fromarray(np.stack([GREY, GREY, GREY, CLEAR], -1)), "PNG"),
    "RGBA of WEBP": saved(Image.fromarray(np.stack([GREY, GREY, GREY, CLEAR], -1)), "WEBP", lossless=True, exact=True),
    "RGBA of TIFF": saved(Image.fromarray(np.stack([GREY, GREY, GREY, CLEAR], -1)), "TIFF"),
    "La of TIFF": tiff(np.stack([BELOW, CLEAR], -1).tobytes(), [8, 8], extra=1),
    "RGBa of TIFF": tiff(np.stack([BELOW, BELOW, BELOW, CLEAR], -1).tobytes(), [8] * 4, photometric=2, extra=1),
    "a grey level of 8 bits": png(KEYED, 8, 0, chunk(b"tRNS", struct.pack(">H", 7))),
    "a grey level of 16 bits": png(KEYED.astype(np.uint16) * 257, 16, 0, chunk(b"tRNS", struct.pack(">H", 7 * 257))),
    "a colour": png(np.stack([KEYED] * 3, -1), 8, 2, chunk(b"tRNS", struct.pack(">HHH", 7, 7, 7))),
    "a colour of 16 bits": png(
        np.stack([KEYED] * 3, -1).astype(np.uint16) * 256, 16, 2, chunk(b"tRNS", struct.pack(">HHH", *[7 * 256] * 3))
    ),
    "a palette": saved(Image.fromarray(KEYED).convert("P"), "PNG", transparency=7),
    "a palette in degrees": saved(Image.fromarray(KEYED).convert("P"), "PNG", transparency=b"\xff" * 7 + b"\0"),
    "GIF": saved(Image.fromarray(KEYED).convert("P"), "GIF", transparency=7),
}


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_transparent_parts_are_white_paper(tmp_path, kind):
    (tmp_path / "a").write_bytes(TRANSPARENT[kind])
    for reader, levels in shown(tmp_path / "a").items():
        assert (levels[RIGHT] == 255).all(), reader
        assert np.abs(levels - ON_PAPER[..., None])[~RIGHT].max() <= 8, reader


@pytest.mark.parametrize(("depth", "key"), [(1, 0), (1, 1), (2, 0), (2, 1), (2, 3), (4, 1), (4, 9)])
def test_a_clear_level_of_few_bits_is_white_paper(tmp_path, depth, key):
    pixels = np.random.default_rng(0).integers(0, 2**depth, (16, 32))
    (tmp_path / "a").write_bytes(png(pixels, depth, 0, chunk(b"tRNS", struct.pack(">H", key))))
    expected = np.where(pixels == key, 255, pixels * 255 // (2**depth - 1))
    for levels in shown(tmp_path / "a").values():
        assert np.array_equal(levels, np.broadcast_to(expected[..., None], levels.shape))


def test_half_clear_ink_is_half_as_dark(tmp_path):
    Image.new("RGBA", (16, 16), (0, 0, 0, 128)).save(tmp_path / "a.png")
    assert set(np.unique(np.asarray(read_picture(tmp_path / "a.png")))) == {127}


# --- how the camera was held


@pytest.mark.parametrize("held", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_reader_turns_a_picture_as_the_camera_was_held(tmp_path, kind, held):
    pixels = np.zeros((32, 32, 3), dtype=np.uint8)
    pixels[4:14, 4:12], pixels[22:28, 4:12] = 255, 128
    whole = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[ORIENTATION] = held
    back = {6: 8, 8: 6}.get(held, held)
    taken = whole.transpose(TURNS[back]) if held in TURNS else whole
    taken.save(tmp_path / "a", kind, exif=exif, quality=100)
    whole.save(tmp_path / "b", "PNG")
    assert np.abs(read_file(tmp_path / "a").astype(int) - read_file(tmp_path / "b")).mean() < 3
    assert np.abs(read_digit(str(tmp_path / "a")) - read_digit(str(tmp_path / "b"))).mean() < 0.02


def test_turned_photographs_of_digits_are_all_read_right(tmp_path):
    from sklearn.datasets import load_digits

    import literatim
    from literatim.datasets.mnist import MNIST

    net, data = literatim.load("lenet", weights="mnist"), MNIST()

    def read(digit: np.ndarray, held: int) -> int:
        exif = Image.Exif()
        exif[ORIENTATION] = held
        paper = Image.new("L", (160, 120))
        paper.paste(Image.fromarray((digit.reshape(8, 8) * 255 / 16).astype(np.uint8)).resize((80, 80)), (40, 20))
        turned = paper.transpose(TURNS[{6: 8, 8: 6}.get(held, held)]) if held in TURNS else paper
        turned.save(tmp_path / "a.jpg", exif=exif, quality=95)
        return int(net.decide(net(data.read_image(str(tmp_path / "a.jpg"))[None])))

    drawn, labels = load_digits(return_X_y=True)
    right = [i for i in range(24) if read(drawn[i], 1) == labels[i]][:12]
    assert len(right) == 12
    for held in (3, 6, 8):
        assert [read(drawn[i], held) for i in right] == labels[right].tolist()


# --- what is refused: before it is decoded, in one sentence, with nothing else printed


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))


def bomb(width: int, height: int) -> bytes:
    return png(np.zeros((1, 1), np.uint8), 8, 0).replace(
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
    )


READERS = {
    "digits": lambda path: read_digit(str(path)),
    "photographs": lambda path: read_photograph(str(path), View("none", 1, (16, 16))),
    "CIFAR-10": lambda path: read_file(path),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bomb(12_000, 12_000), "an image of 12,000 x 12,000 pixels"),
        (bomb(40_000, 40_000), "an image of more than [0-9,]+ pixels"),
        (b"", "it is none of JPEG, PNG"),
        (b"<html>", "it is none of JPEG, PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\nshowpage\n", "it is none of JPEG, PNG"),
        (b"DDS " + struct.pack("<7I", 124, 0x1007, 20, 20, 0, 0, 0) + b"\0" * 100, "it is none of JPEG, PNG"),
        (saved(NOISE, "PNG")[:1500], "truncated"),
        (GREYS["GIF"][0][:60], "not an image that can be read"),
        (saved(NOISE, "TIFF", compression="tiff_lzw").replace(b"\x80\0", b"\xff\xff", 1), "not an image"),
    ],
    ids=["large", "larger", "empty", "HTML", "PostScript", "DDS", "cut PNG", "cut GIF", "LZW"],
)
def test_a_damaged_or_giant_file_is_one_sentence_that_names_it(tmp_path, reader, content, words, capfd, fault):
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(LiteratimError, match=words) as caught:
        READERS[reader](path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    fault("picture")


def test_no_damage_to_a_file_gets_past_the_reader(tmp_path, capfd, fault):
    rng = np.random.default_rng(0)
    contents = [*(content for content, _ in [*GREYS.values(), *COLOURS.values()] if content), *TRANSPARENT.values()]
    path = tmp_path / "a"
    for tried in range(1, 801):
        content = np.frombuffer(contents[tried % len(contents)], dtype=np.uint8).copy()
        places = rng.integers(0, min(len(content), 120 if tried % 3 else 10**6), rng.choice([1, 2, 8]))
        content[places] = rng.choice([0, 1, 127, 255, *rng.integers(0, 256, 4)], len(places))
        path.write_bytes(content[: rng.integers(1, len(content))] if tried % 5 == 0 else content)
        said = f"{path}: "
        try:
            read_picture(path, 10**6)
        except LiteratimError as error:
            said = str(error)
        assert said.startswith(f"{path}: ")
        assert "\n" not in said
    assert capfd.readouterr() == ("", "")
    fault("picture", tried)


def test_a_digit_may_have_fewer_pixels_than_a_photograph(tmp_path):
    (tmp_path / "a.png").write_bytes(bomb(10_000, 6_000))
    with pytest.raises(LiteratimError, match="10,000 x 6,000 pixels; 50,000,000 at most"):
        read_digit(str(tmp_path / "a.png"))
    with pytest.raises(LiteratimError, match="truncated"):
        READERS["photographs"](tmp_path / "a.png")


def test_a_page_scanned_finely_is_made_smaller_first(tmp_path):
    page = np.full((4400, 3300), 255, np.uint8)
    page[1000:3000, 1500:1800] = 0
    Image.fromarray(page).save(tmp_path / "a.png")
    Image.fromarray(page[::4, ::4]).save(tmp_path / "b.png")
    assert np.abs(read_digit(str(tmp_path / "a.png")) - read_digit(str(tmp_path / "b.png"))).max() < 0.1


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_a_folder_and_nothing_are_refused_and_not_opened(tmp_path, reader):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name, words in (("pipe.png", "pipe or device"), ("folder.png", "a folder"), ("none.png", "no such file")):
        with pytest.raises(LiteratimError, match=words):
            READERS[reader](tmp_path / name)


def test_a_service_without_an_error_output_reads_tiffs_too(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(GREYS["TIFF of 16 bits"][0])
    monkeypatch.setattr(sys, "stderr", None)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "a"))[..., 0], GREY)


def test_only_formats_of_pictures_are_open():
    assert {"EPS", "WMF", "PSD"}.isdisjoint(pictures.rasters())
    assert {"JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"} <= set(pictures.rasters())
