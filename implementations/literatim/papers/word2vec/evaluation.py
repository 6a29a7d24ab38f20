"""What word vectors are good for: neighbours, analogies (Secs. 4 and 4.1) and judgements of similarity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from literatim.errors import LiteratimError, did_you_mean, quoted
from literatim.parts.words import composed

# The categories of the analogy file in the authors' repository (questions-words.txt), in its order: the number of
# word pairs and of questions in each. The first five are the semantic ones, as compute-accuracy.c has it.
CATEGORIES = {
    "capital-common-countries": (23, 506),
    "capital-world": (116, 4524),
    "currency": (30, 866),
    "city-in-state": (68, 2467),
    "family": (23, 506),
    "gram1-adjective-to-adverb": (32, 992),
    "gram2-opposite": (29, 812),
    "gram3-comparative": (37, 1332),
    "gram4-superlative": (34, 1122),
    "gram5-present-participle": (33, 1056),
    "gram6-nationality-adjective": (41, 1599),
    "gram7-past-tense": (40, 1560),
    "gram8-plural": (37, 1332),
    "gram9-plural-verbs": (30, 870),
}
SEMANTIC = 5
Question = tuple[str, str, str, str]
LONGEST_LINE = 1 << 16  # characters


class Vectors:
    """Words with their vectors, at unit length; looked up without regard to case, the more frequent word first."""

    def __init__(self, words: Sequence[str], table: Tensor) -> None:
        self.words, self.table = list(words), unit(table.detach().float())
        self.place: dict[str, int] = {}
        for i, word in enumerate(self.words):
            self.place.setdefault(folded(word), i)

    def __contains__(self, word: str) -> bool:
        return folded(word) in self.place

    def id(self, word: str) -> int:
        """Raises LiteratimError for a word that is not there, with the nearest spellings."""
        if word not in self:
            hint = did_you_mean(word, self.words)
            raise LiteratimError(f"{quoted(word)} is not among the {len(self.words):,} words{hint}")
        return self.place[folded(word)]

    def neighbours(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """The n words nearest to a word by cosine, nearest first, with their cosines; itself left out."""
        return self._nearest(self.table[self.id(word)], [self.id(word)], n)

    def analogy(self, a: str, b: str, c: str, n: int = 1) -> list[tuple[str, float]]:
        """ "a is to b as c is to …" (Sec. 4): the n words nearest to vector(b) - vector(a) + vector(c), with cosines.

        The words of the question are left out of the search. Whether the vectors are first brought to unit length
        is open in the paper; the released code does, and so do we.
        """
        asked = [self.id(word) for word in (a, b, c)]
        first, second, third = self.table[asked]
        return self._nearest(second - first + third, asked, n)

    def _nearest(self, vector: Tensor, left_out: list[int], n: int) -> list[tuple[str, float]]:
        cosines = self.table @ F.normalize(vector, dim=0)
        cosines[left_out] = -torch.inf
        best = cosines.topk(max(0, min(n, len(self.words) - len(set(left_out)))))
        return [(self.words[i], float(c)) for i, c in zip(best.indices, best.values, strict=True)]


def folded(word: str) -> str:
    """A word as it is looked up: in lower case, and an accent as one character with its letter."""
    return composed(word.lower())


def unit(table: Tensor) -> Tensor:
    """(V, D): the rows at unit length, those too whose squares are too large or too small for their numbers."""
    found, length = F.normalize(table, dim=1), table.norm(dim=1)
    odd = length.isinf() | (length < 1e-12)
    if odd.any():
        rows = table[odd]
        largest = rows.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(rows.dtype).tiny)
        found[odd] = F.normalize(rows / largest, dim=1)
    return found


class Score(NamedTuple):
    """Questions `asked`, those of them whose four words are all `known`, and those answered `right`.

    The paper counts over all questions of its test set; the released tool (compute-accuracy.c) skips those with an
    unknown word, the answer included. Both in per cent.
    """

    asked: int
    known: int
    right: int

    @property
    def paper(self) -> float:
        return 100 * self.right / max(1, self.asked)

    @property
    def released(self) -> float:
        return 100 * self.right / max(1, self.known)


def read_questions(path: str | Path) -> dict[str, list[Question]]:
    """category -> questions, of a file in the form of questions-words.txt: `: category` and four words a line."""
    found: dict[str, list[Question]] = {}
    questions: list[Question] | None = None
    for number, line in enumerate(_lines(path), 1):
        words = line.split()
        if words[:1] == [":"] and len(words) == 2:
            questions = found.setdefault(words[1], [])
        elif len(words) == 4 and questions is not None:
            questions.append((words[0], words[1], words[2], words[3]))
        elif words:
            raise LiteratimError(f"{path}:{number}: neither a category (: name) nor a question of four words")
    return found


def analogies(
    vectors: Vectors, questions: Mapping[str, Sequence[Question]], most_frequent: int | None = None
) -> dict[str, Score]:
    """category -> score, and the totals `semantic`, `syntactic` and `total`.

    A question counts as right only if the nearest word is the very answer (Sec. 4.1). Categories are syntactic if
    their name begins with "gram", as in the authors' file, and else semantic. With `most_frequent` all other words
    are unknown (Table 2: "only questions containing words from the most frequent 30k words").
    """
    words = len(vectors.words) if most_frequent is None else min(most_frequent, len(vectors.words))
    table, place = vectors.table[:words], {word: i for word, i in vectors.place.items() if i < words}
    scores = {name: _score(table, place, asked) for name, asked in questions.items()}
    kinds = {name: "syntactic" if name.startswith("gram") else "semantic" for name in scores}
    for kind in ("semantic", "syntactic", "total"):
        parts = [scores[name] for name, of in kinds.items() if kind in (of, "total")]
        scores[kind] = Score(*(sum(column) for column in zip(*parts, strict=True))) if parts else Score(0, 0, 0)
    return scores


def _score(table: Tensor, place: Mapping[str, int], questions: Sequence[Question]) -> Score:
    asked = [[folded(word) for word in question] for question in questions]
    known = [[place[word] for word in question] for question in asked if all(word in place for word in question)]
    right = 0
    for some in torch.tensor(known, dtype=torch.long).view(-1, 4).split(512):
        a, b, c, answer = some.T
        # The length of the sum does not change which word is nearest.
        cosines = (table[b] - table[a] + table[c]) @ table.T
        cosines.scatter_(1, some[:, :3], -torch.inf)
        right += int((cosines.argmax(dim=1) == answer).sum())
    return Score(len(questions), len(known), right)


@dataclass(frozen=True)
class Similarity:
    """Spearman's rank correlation with people's judgements, over the `covered` of `pairs` pairs whose words are known.

    Pairs with an unknown word are left out; the correlation is not a number where fewer than two remain.
    """

    correlation: float
    covered: int
    pairs: int


def read_similarities(path: str | Path) -> list[tuple[str, str, float]]:
    """Pairs with a judgement, three columns a line, parted by tabs, commas or spaces; lines of other forms, such as
    headings, are passed over. Raises LiteratimError where there is no such line."""
    found = []
    for line in _lines(path):
        cells = line.replace("\t", " ").replace(",", " ").split()
        try:
            found.append((cells[0], cells[1], float(cells[2])))
        except (IndexError, ValueError):
            continue
    if not found:
        raise LiteratimError(f"{path}: no line with two words and a number; each line has a pair and its similarity")
    return found


def similarity(vectors: Vectors, judged: Sequence[tuple[str, str, float]]) -> Similarity:
    from scipy.stats import spearmanr

    known = [(vectors.id(a), vectors.id(b), value) for a, b, value in judged if a in vectors and b in vectors]
    if len(known) < 2:
        return Similarity(float("nan"), len(known), len(judged))
    cosines = [float(vectors.table[a] @ vectors.table[b]) for a, b, _ in known]
    return Similarity(float(spearmanr(cosines, [value for *_, value in known])[0]), len(known), len(judged))


def families() -> list[list[str]]:
    """The families of `families.txt`."""
    lines = files(__package__).joinpath("families.txt").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def sensible_neighbours(vectors: Vectors, of: Sequence[Sequence[str]]) -> tuple[float, float]:
    """(share, chance) in per cent: of the words listed in families, those whose nearest listed word is of a family
    of theirs; and the same for vectors that know nothing, where all other listed words are equally likely.

    Words that are not known are left out, and so are families of which one word is left.
    """
    known = [sorted({vectors.id(word) for word in family if word in vectors}) for family in of]
    known = [family for family in known if len(family) > 1]
    listed = sorted({word for family in known for word in family})
    if len(listed) < 2:
        return 0.0, 0.0
    kin = torch.zeros(len(listed), len(listed), dtype=torch.bool)
    for family in known:
        rows = torch.tensor([listed.index(word) for word in family])
        kin[rows[:, None], rows] = True
    kin.fill_diagonal_(False)
    cosines = vectors.table[listed] @ vectors.table[listed].T
    nearest = cosines.fill_diagonal_(-torch.inf).argmax(dim=1)
    right = kin[torch.arange(len(listed)), nearest].float().mean()
    return 100 * float(right), 100 * float(kin.float().sum(dim=1).mean()) / (len(listed) - 1)


def _lines(path: str | Path) -> Iterator[str]:
    try:
        with Path(path).expanduser().open(encoding="utf-8-sig") as stream:
            while line := stream.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise LiteratimError(f"{path}: a line of more than {LONGEST_LINE:,} characters; name a text file")
                yield line
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise LiteratimError(f"{path} cannot be read: {reason}; name a text file") from None
