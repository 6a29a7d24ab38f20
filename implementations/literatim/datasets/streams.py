"""The four streams of Elman (1990): bits, syllables, words without gaps, sentences without gaps. All are drawn."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from literatim.datasets.made import MadeDataModule
from literatim.errors import LiteratimError, did_you_mean

Task = Literal["xor", "letters", "words", "sentences"]
Ids = NDArray[np.int64]

# "Structure in letter sequences": each consonant was replaced by the rules b -> ba, d -> dii, g -> guuu.
SYLLABLES = ("ba", "dii", "guuu")

# "Discovering the notion word": of its 15 words Fig. 6 shows these fourteen. The fifteenth is ours.
SEEN = (
    "many", "years", "ago", "a", "boy", "and", "girl", "lived", "by", "the", "sea", "they", "played", "happily",
)  # fmt: skip
LEXICON = (*SEEN, "house")

# Table 3 gives two words of each class; the 29 words are those of Fig. 7, and its clusters place the others. "In some
# categories others are included": the large animals are animals, for they precede "chase" (p. 199); to destroy is
# transitive (p. 195), and to move as well, for in Table 5 a dog moves a mouse.
CLASSES = {
    "NOUN-HUM": ("man", "woman", "boy", "girl"),
    "NOUN-ANIM": ("cat", "mouse", "dog", "dragon", "monster", "lion"),
    "NOUN-INANIM": ("book", "rock", "car"),
    "NOUN-AGRESS": ("dragon", "monster", "lion"),
    "NOUN-FRAG": ("glass", "plate"),
    "NOUN-FOOD": ("cookie", "bread", "sandwich"),
    "VERB-INTRAN": ("think", "sleep", "exist"),
    "VERB-TRAN": ("see", "chase", "like", "move", "break", "smash"),
    "VERB-AGPAT": ("move", "break"),
    "VERB-PERCEPT": ("smell", "see"),
    "VERB-DESTROY": ("break", "smash"),
    "VERB-EAT": ("eat",),
}
# Table 4, row by row.
TEMPLATES = (
    "NOUN-HUM VERB-EAT NOUN-FOOD",
    "NOUN-HUM VERB-PERCEPT NOUN-INANIM",
    "NOUN-HUM VERB-DESTROY NOUN-FRAG",
    "NOUN-HUM VERB-INTRAN",
    "NOUN-HUM VERB-TRAN NOUN-HUM",
    "NOUN-HUM VERB-AGPAT NOUN-INANIM",
    "NOUN-HUM VERB-AGPAT",
    "NOUN-ANIM VERB-EAT NOUN-FOOD",
    "NOUN-ANIM VERB-TRAN NOUN-ANIM",
    "NOUN-ANIM VERB-AGPAT NOUN-INANIM",
    "NOUN-ANIM VERB-AGPAT",
    "NOUN-INANIM VERB-AGPAT",
    "NOUN-AGRESS VERB-DESTROY NOUN-FRAG",
    "NOUN-AGRESS VERB-EAT NOUN-HUM",
    "NOUN-AGRESS VERB-EAT NOUN-ANIM",
    "NOUN-AGRESS VERB-EAT NOUN-FOOD",
)
WORDS = tuple(sorted({word for words in CLASSES.values() for word in words}))
ALPHABETS: dict[str, tuple[str, ...]] = {
    "xor": ("0", "1"),
    "letters": ("b", "d", "g", "a", "i", "u"),
    "words": tuple("abcdefghijklmnopqrstuvwxyz"),
    "sentences": WORDS,
}
# Triples, consonants, sentences, sentences; and of the test, where the paper tests on a new sequence. Of bits: 12 steps
# of 1,200 cycles are 4,800 triples.
PRINTED = {"xor": 1_000, "letters": 1_000, "words": 200, "sentences": 10_000}
TESTED = {"xor": 4_800, "letters": 1_000, "words": 200, "sentences": 10_000}


class Stream(NamedTuple):
    """Symbols without gaps: `ids` (T,) places in the alphabet, `places` (T,) of each in its triple, syllable, word or
    sentence, from 0; `units` (T,) to which of these it belongs."""

    ids: Ids
    places: Ids
    units: Ids


def joined(units: list[list[int]]) -> Stream:
    """A stream of these units, one after the other without a break."""
    lengths = [len(unit) for unit in units]
    places = np.concatenate([np.arange(n) for n in lengths])
    return Stream(np.concatenate([np.array(u) for u in units]), places, np.repeat(np.arange(len(units)), lengths))


class Streams(MadeDataModule):
    """Streams of one of the four experiments; a chunk is a pass through the whole stream, and each trial has its own.

    Args:
        task: "xor" (triples a, b, a xor b), "letters" (syllables), "words" (the letters of sentences' words) or
            "sentences" (words)
        number: triples, consonants or sentences of the stream; where none is given, as many as the paper has
        lexicon: the words of "words"; each sentence takes so many of them at random
        shortest: words of a sentence of "words" at least
        longest: at most
        templates: of "sentences", classes of Table 3 with spaces between; where none are given, those of Table 4
        chunks: passes in an epoch
        seed: of everything that is drawn
        watch: sets to look at after every epoch: "val" is a stream of its own

    Raises LiteratimError for a stream that cannot be: nothing in it, a word that has no letters, a class that is not.
    """

    def __init__(
        self,
        task: Task = "letters",
        number: int | None = None,
        lexicon: list[str] = list(LEXICON),  # noqa: B006 (never changed)
        shortest: int = 4,
        longest: int = 9,
        templates: list[str] | None = None,
        chunks: int = 1,
        seed: int = 0,
        watch: list[str] = [],  # noqa: B006 (never changed)
    ) -> None:
        super().__init__(chunks, seed, watch)
        if number is not None and number < 1:
            raise LiteratimError(f"data.number is {number}; a stream has at least 1 of these")
        if not 1 <= shortest <= longest:
            raise LiteratimError(
                f"data.shortest is {shortest} and data.longest is {longest}; a sentence has at least 1 word, and "
                "the shortest is not longer than the longest"
            )
        self.task, self.number, self.shortest, self.longest = task, number, shortest, longest
        self.lexicon = known_words(lexicon)
        self.templates = known_templates(list(TEMPLATES) if templates is None else templates)
        self.alphabet = ALPHABETS[task]

    def stream(self, purpose: str, trial: int = 0) -> Stream:
        """The stream of a trial for a purpose: "train" is the same in every pass; "test" and others are new ones."""
        rng = self.rng(purpose, trial)
        number = self.number or (PRINTED if purpose == "train" else TESTED)[self.task]
        return joined(getattr(self, f"draw_{self.task}")(rng, number))

    def draw_xor(self, rng: np.random.Generator, number: int) -> list[list[int]]:
        return [[a, b, a ^ b] for a, b in rng.integers(0, 2, (number, 2)).tolist()]

    def draw_letters(self, rng: np.random.Generator, number: int) -> list[list[int]]:
        syllables = [[self.alphabet.index(letter) for letter in syllable] for syllable in SYLLABLES]
        return [syllables[i] for i in rng.integers(0, len(syllables), number)]

    def draw_words(self, rng: np.random.Generator, number: int) -> list[list[int]]:
        spelt = [[self.alphabet.index(letter) for letter in word] for word in self.lexicon]
        words = rng.integers(self.shortest, self.longest + 1, number).sum()
        return [spelt[i] for i in rng.integers(0, len(spelt), words)]

    def draw_sentences(self, rng: np.random.Generator, number: int) -> list[list[int]]:
        places = {name: [self.alphabet.index(word) for word in words] for name, words in CLASSES.items()}
        frames = [[places[name] for name in template.split()] for template in self.templates]
        chosen = rng.integers(0, len(frames), number)
        return [[choices[rng.integers(len(choices))] for choices in frames[i]] for i in chosen]


def known_words(lexicon: list[str]) -> list[str]:
    """The lexicon as it is. Raises LiteratimError where it has no word, a word twice, or one not of small letters."""
    if not lexicon:
        raise LiteratimError("data.lexicon has no word; give at least one")
    for number, word in enumerate(lexicon):
        if not word or not set(word) <= set(ALPHABETS["words"]):
            raise LiteratimError(f'data.lexicon: "{word}" is no word of the letters a to z')
        if word in lexicon[:number]:
            raise LiteratimError(f'data.lexicon has "{word}" twice; each word stands in it once')
    return lexicon


def known_templates(templates: list[str]) -> list[str]:
    """The templates as they are. Raises LiteratimError for none at all, an empty one, a class that Table 3 lacks."""
    if not templates:
        raise LiteratimError("data.templates has no template; give at least one, such as NOUN-HUM VERB-INTRAN")
    for template in templates:
        if not template.split():
            raise LiteratimError("data.templates has one without a class; each is a sentence of at least one word")
        for name in template.split():
            if name not in CLASSES:
                raise LiteratimError(f'data.templates: there is no class "{name}"{did_you_mean(name, list(CLASSES))}')
    return templates
