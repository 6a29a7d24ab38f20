"""What the paper prints in its tables and figures, and proofs that reckon with nothing else."""

from __future__ import annotations

import math
from collections import Counter

from literatim.claims.given import stated
from literatim.claims.verdicts import Finding

SAMPLE = "101000011110101"  # p. 185
RULES = {"b": "ba", "d": "dii", "g": "guuu"}  # p. 187
CONSONANTS, EXPANDED = "dbgbddg", "diibaguuubadiidiiguuu"  # p. 188
FIGURE_6 = "manyyearsagoaboyandgirllivedbytheseatheyplayedhappily"

# Table 2, both columns, row by row: code and letter. The letters spell many years ago a boy and girl lived,
# as far as its i, with one l in the place of two.
INPUTS = (
    "01101 m", "00001 a", "01110 n", "11001 y", "11001 y", "00101 e", "00001 a", "10010 r", "10011 s", "00001 a",
    "00111 g", "01111 o", "00001 a", "00010 b", "01111 o", "11001 y", "00001 a", "01110 n", "00100 d", "00111 g",
    "01001 i", "10010 r", "01100 l", "11001 i",
)  # fmt: skip
OUTPUTS = (*INPUTS[1:23], "01100 i")

# Table 3.
EXAMPLES = {
    "NOUN-HUM": ("man", "woman"),
    "NOUN-ANIM": ("cat", "mouse"),
    "NOUN-INANIM": ("book", "rock"),
    "NOUN-AGRESS": ("dragon", "monster"),
    "NOUN-FRAG": ("glass", "plate"),
    "NOUN-FOOD": ("cookie", "break"),
    "VERB-INTRAN": ("think", "sleep"),
    "VERB-TRAN": ("see", "chase"),
    "VERB-AGPAT": ("move", "break"),
    "VERB-PERCEPT": ("smell", "see"),
    "VERB-DESTROY": ("break", "smash"),
    "VERB-EAT": ("eat",),
}
# How many words each row of Table 4 has.
LENGTHS = (3, 3, 3, 2, 3, 3, 2, 3, 3, 3, 2, 2, 3, 3, 3, 3)
# Table 5, the column of inputs and the last output, and for each word the bit that is on.
TABLE_5 = (
    "woman", "smash", "plate", "cat", "move", "man", "break", "car", "boy", "move", "girl", "eat", "bread", "dog",
    "move", "mouse", "mouse", "move", "book", "lion",
)  # fmt: skip
BITS = {
    "woman": 30, "smash": 27, "plate": 22, "cat": 6, "move": 20, "man": 17, "break": 4, "car": 5, "boy": 2, "girl": 13,
    "eat": 11, "bread": 3, "dog": 9, "mouse": 19, "book": 1, "lion": 16,
}  # fmt: skip
# Fig. 7, from top to bottom.
LEAVES = (
    "smell", "move", "see", "think", "exist", "sleep", "break", "smash", "like", "chase", "eat", "mouse", "cat", "dog",
    "monster", "lion", "dragon", "woman", "girl", "man", "boy", "car", "book", "rock", "sandwich", "cookie", "bread",
    "plate", "glass",
)  # fmt: skip


def codes_of(column: tuple[str, ...], letter: str) -> Counter[str]:
    return Counter(row.split()[0] for row in column if row.endswith(letter))


def code_of_i() -> tuple[int, ...]:
    """Of the four places of i in Table 2, two give 01001; the others give codes that the table gives to y and to l."""
    found = codes_of(INPUTS, "i") + codes_of(OUTPUTS, "i")
    taken = {row.split()[0] for row in INPUTS + OUTPUTS if row[-1] in "yl"}
    (own,) = found.keys() - taken
    return tuple(int(bit) for bit in own)


def alphabetical_letters() -> Finding:
    """Whether the codes of Table 2 are the letters' numbers in the alphabet, which random ones are not."""
    own = {row[-1]: row.split()[0] for row in INPUTS[:-1]}
    held = all(int(code, 2) == ord(letter) - ord("a") + 1 for letter, code in own.items())
    chance = math.log10(math.perm(32, len(own)))
    return Finding(
        held,
        f"{len(own)} letters of Table 2 have their numbers; of random codes one choice in 10^{chance:.0f} would",
        f"表 2 的 {len(own)} 个字母都取其序号；随机编码出现这种情形的可能为 10^{chance:.0f} 分之一",
    )


def alphabetical_words() -> Finding:
    """Whether the bits of Table 5 follow the alphabet, which randomly assigned ones do not."""
    held = [BITS[word] for word in sorted(BITS)] == sorted(BITS.values())
    chance = math.log10(math.factorial(len(BITS)))
    return Finding(
        held,
        f"the {len(BITS)} words of Table 5 have bits in the order of the alphabet; of random orders one in "
        f"10^{chance:.0f} is that",
        f"表 5 的 {len(BITS)} 个词，其比特位依字母顺序排列；随机次序出现这种情形的可能为 10^{chance:.0f} 分之一",
    )


def rows_of_table_3() -> int:
    return len(EXAMPLES)


def rows_of_table_4() -> int:
    return len(LENGTHS)


def break_is_a_verb() -> bool:
    """Table 3 itself has it twice among the verbs, and neither Table 5 nor Fig. 7 has it as food, but bread."""
    verbs = [name for name, words in EXAMPLES.items() if "break" in words and name.startswith("VERB")]
    return len(verbs) == 2 and "bread" in LEAVES and LEAVES.count("break") == 1 and "bread" in TABLE_5


def words_of_the_stream() -> Finding:
    """Each number is one of vectors one of which belongs to each word of one stream, and its first is in `words`."""
    said = [stated("elman", name) for name in ("words", "words-again.sequence", "words-again.clustered")]
    mean, spread = _words(sum(LENGTHS) / len(LENGTHS), LENGTHS.count(2) / len(LENGTHS))
    away = ", ".join(f"{number:,.0f}: {(number - mean) / spread:+.1f}" for number in said)
    fewer, less = _words((sum(LENGTHS) - 3) / 15, 4 / 15)
    shown = f"{(said[1] - fewer) / less:+.1f}"
    return Finding(
        int(said[0]),
        f"with Table 4's {len(LENGTHS)} templates, {mean:,.0f} words are to be expected, and the three numbers lie so "
        f"many standard deviations ({spread:.0f}) from that: {away}. With the fifteen of the text, one of three words "
        f"left out, 27,354 would lie at {shown}",
        f"依表 4 的 {len(LENGTHS)} 个模板，词数的期望为 {mean:,.0f}，三个数与之相距的标准差（{spread:.0f}）数为："
        f"{away}。"
        f"若取正文的十五个模板，即少一个三词模板，则 27,354 相距 {shown}",
    )


def _words(length: float, twos: float) -> tuple[float, float]:
    """Mean and standard deviation of the words in 10,000 sentences of two or three words."""
    return 10_000 * length, math.sqrt(10_000 * twos * (1 - twos))


def coin() -> float:
    """The least root mean squared error for a bit that is 1 as often as 0: (1/4 + (p - 1/2)^2)^(1/2) for any p."""
    return min(math.sqrt(0.25 + (p / 100 - 0.5) ** 2) for p in range(101))


def within_one() -> float:
    """Units between 0 and 1 (note 2), and bits, differ by one at most: and so does a root mean square of that."""
    return math.sqrt(5 * 1**2 / 5)
