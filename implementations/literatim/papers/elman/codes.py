"""How the symbols of the four experiments are presented to the network: as vectors of 1, 6, 5 and 31 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Table 1, "Vector Definitions of Alphabet".
FEATURES = ("Consonant", "Vowel", "Interrupted", "High", "Back", "Voiced")
LETTERS = {
    "b": "101001",
    "d": "101101",
    "g": "101011",
    "a": "010011",
    "i": "010101",
    "u": "010111",
}
# "Two extra bits were reserved for later simulations": with 29 words that makes 31. By Table 5 they are the 21st, for
# plate has the 22nd bit and stands 21st in the alphabetical lexicon, and the last, for woman has the 30th.
WORD_BITS, EXTRA = 31, (20, 30)

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
# Fig. 7's leaves in the order of the alphabet, which the bits of Table 5 follow too; the text calls them random.
WORDS = (
    "book", "boy", "bread", "break", "car", "cat", "chase", "cookie", "dog", "dragon", "eat", "exist", "girl", "glass",
    "like", "lion", "man", "monster", "mouse", "move", "plate", "rock", "sandwich", "see", "sleep", "smash", "smell",
    "think", "woman",
)  # fmt: skip
VERBS = ("break", "chase", "eat", "exist", "like", "move", "see", "sleep", "smash", "smell", "think")


def five_bits(letter: str) -> str:
    """A letter of the words experiment. The text calls the vectors random; those of Table 2 are the letter's number in
    the alphabet, in binary: a is 00001, y is 11001."""
    return f"{ALPHABET.index(letter) + 1:05b}"


SYMBOLS: dict[str, tuple[str, ...]] = {
    "xor": ("0", "1"),
    "letters": tuple(LETTERS),
    "words": tuple(ALPHABET),
    "sentences": WORDS,
}


def table(task: str) -> NDArray[np.float64]:
    """(symbols, bits): the vector of each symbol of an experiment, in the order of `SYMBOLS`."""
    if task == "sentences":
        return np.delete(np.eye(WORD_BITS), EXTRA, axis=0)
    written = {"xor": ("0", "1"), "letters": LETTERS.values(), "words": map(five_bits, ALPHABET)}[task]
    return np.array([[float(bit) for bit in bits] for bits in written])
