"""What the four experiments measure of a trained network: error over time, and the tree of its hidden units."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from literatim.papers.elman.codes import LETTERS, VERBS, WORDS

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
CYCLE = 12  # inputs in Fig. 3
REPLACED = "man"  # by zog, in Fig. 8
# The groups of Fig. 7, as its labels and its leaves have them.
GROUPS: dict[str, tuple[str, ...]] = {
    "verbs": VERBS,
    "no_object": ("exist", "sleep", "think"),
    "needs_object": ("chase", "eat", "like"),
    "animates": ("boy", "cat", "dog", "dragon", "girl", "lion", "man", "monster", "mouse", "woman"),
    "humans": ("boy", "girl", "man", "woman"),
    "animals": ("cat", "dog", "dragon", "lion", "monster", "mouse"),
    "large": ("dragon", "lion", "monster"),
    "small": ("cat", "dog", "mouse"),
    "inanimates": ("book", "bread", "car", "cookie", "glass", "plate", "rock", "sandwich"),
    "breakables": ("glass", "plate"),
    "food": ("bread", "cookie", "sandwich"),
    "agentless": ("book", "car", "rock"),
}


@dataclass(frozen=True)
class Run:
    """A trained network's way through a stream: after the symbol t, `y` (T, O) predicts symbol t + 1.

    `ids`, `places`, `units` (T,) are the stream's; `codes` (symbols, O); `hidden` (T, H).
    """

    ids: Ids
    places: Ids
    units: Ids
    codes: Floats
    y: Floats
    hidden: Floats

    @property
    def squares(self) -> Floats:
        """(T - 1, O): the squared error of each output, of all predictions but the last, whose target is not there."""
        return (self.y[:-1] - self.codes[self.ids[1:]]) ** 2

    @property
    def right(self) -> NDArray[np.bool_]:
        """(T - 1, O): whether the output is on the same side of one half as its target."""
        return (self.y[:-1] > 0.5) == (self.codes[self.ids[1:]] > 0.5)

    @property
    def target_places(self) -> Ids:
        return self.places[1:]


def share(of: Any) -> float:
    """In per cent."""
    return 100 * float(np.mean(of))


def xor(run: Run) -> dict[str, float]:
    """Fig. 3, and the rule that the network applies."""
    error, place = run.squares[:, 0], run.target_places
    found = {
        f"{name}_error": float(error[place == i].mean()) for i, name in enumerate(("first", "second", "predictable"))
    }
    whole = len(error) // CYCLE
    cycle = error[: whole * CYCLE].reshape(whole, CYCLE).mean(axis=0)
    found |= {f"cycle_{i + 1}": float(value) for i, value in enumerate(cycle)}
    found["dips"] = 100.0 * ({*np.argsort(cycle)[: CYCLE // 3]} == {1, 4, 7, 10})
    rule = run.ids[:-1] ^ np.r_[0, run.ids[:-2]]  # the exclusive or of this bit and the one before
    elsewhere = (place < 2)[1:]
    found["rule_elsewhere"] = share(((run.y[:-1, 0] > 0.5) == rule)[1:][elsewhere])
    alike = run.ids[1:] == run.ids[:-1]
    excess = run.hidden[1:][alike].mean(axis=0) - run.hidden[1:][~alike].mean(axis=0)
    found["frequency_units"] = 100.0 * (excess.min() < 0 < excess.max())
    return found


def letters(run: Run) -> dict[str, float]:
    """Fig. 4 and 5."""
    squares, consonant = run.squares, run.target_places == 0
    error, right = squares.sum(axis=1), run.right
    return {
        "vowel_error": float(error[~consonant].mean()),
        "consonant_error": float(error[consonant].mean()),
        "consonant_bit_error": float(squares[:, 0].mean()),
        "high_bit_error": float(squares[:, 3].mean()),
        "consonant_bit_at_consonants": float(squares[consonant, 0].mean()),
        "high_bit_at_consonants": float(squares[consonant, 3].mean()),
        "consonant_bit_below": share(squares[:, 0] < squares[:, 3]),
        "vowels_right": share(right[~consonant].all(axis=1)),
        "consonants_right": share(nearest_letter(run)[consonant] == run.ids[1:][consonant]),
        "consonant_bit_right": share(right[:, 0]),
    }


def nearest_letter(run: Run) -> Ids:
    """(T - 1,): the letter whose code is nearest to each prediction."""
    distances = ((run.y[:-1, None] - run.codes[: len(LETTERS)]) ** 2).sum(axis=2)
    return distances.argmin(axis=1)


def words(run: Run) -> dict[str, float]:
    """Fig. 6: the error of the letters by their place in the word, and how it falls within a word."""
    error, place, unit = run.squares.sum(axis=1), run.target_places, run.units[1:]
    last = np.r_[unit[1:] != unit[:-1], True]
    found = {
        f"{name}_error": float(error[place == i].mean())
        for i, name in enumerate(("start", "second", "third", "fourth"))
    }
    found["end_error"] = float(error[last & (place > 0)].mean())
    whole = [error[unit == u] for u in np.unique(unit)[1:] if (unit == u).sum() > 1]
    found["falls"] = share([errors[0] > errors[-1] for errors in whole])
    found["peaks"] = share([errors.argmax() == 0 for errors in whole])
    return found


def likelihoods(ids: Ids, places: Ids, symbols: int) -> Floats:
    """(T, symbols): how likely each word is to come next, by the corpus itself: each word "is compared against all
    other sentences that are, up to that point, identical"."""
    prefixes: list[tuple[int, ...]] = []
    for word, place in zip(ids.tolist(), places.tolist(), strict=True):
        prefixes.append((*prefixes[-1], word) if place else (word,))
    following: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for prefix, word in zip(prefixes, np.roll(ids, -1).tolist(), strict=True):
        following[prefix][word] += 1
    rows = {prefix: np.zeros(symbols) for prefix in following}
    for prefix, counts in following.items():
        for word, count in counts.items():
            rows[prefix][word] = count / counts.total()
    return np.array([rows[prefix] for prefix in prefixes])


def afresh(ids: Ids, places: Ids, symbols: int) -> Floats:
    """(T, symbols): the same, but that where a sentence is over what comes next is what begins any sentence: so far as
    those with the same words are over there, for some go on."""
    begins = places == 0
    # Where the next word begins a sentence it counts as one and the same, and as all beginnings afterwards.
    follows = np.where(np.roll(begins, -1), symbols, np.roll(ids, -1))
    prefixes: list[tuple[int, ...]] = []
    for word, place in zip(ids.tolist(), places.tolist(), strict=True):
        prefixes.append((*prefixes[-1], word) if place else (word,))
    counts: dict[tuple[int, ...], Floats] = defaultdict(lambda: np.zeros(symbols + 1))
    for prefix, word in zip(prefixes, follows.tolist(), strict=True):
        counts[prefix][word] += 1
    rows = np.array([counts[prefix] for prefix in prefixes])
    rows /= rows.sum(axis=1, keepdims=True)
    return rows[:, :-1] + rows[:, -1:] * np.bincount(ids[begins], minlength=symbols) / begins.sum()


def against(run: Run, likely: Floats) -> dict[str, float]:
    """The error of the predictions against how likely each word is (T, symbols), and the angle between the two."""
    likely = likely @ run.codes  # (T, O): of each word's own bit
    squares = (run.y - likely) ** 2
    lengths = np.linalg.norm(run.y, axis=1) * np.linalg.norm(likely, axis=1)
    cosines = (run.y * likely).sum(axis=1) / lengths
    error = squares.sum(axis=1)
    return {
        "likelihood_error": float(error.mean()),
        "likelihood_deviation": float(error.std()),
        "likelihood_rms": float(np.sqrt(squares.mean(axis=1)).mean()),
        "cosine": float(cosines.mean()),
        "cosine_deviation": float(cosines.std()),
    }


def sentences(run: Run) -> dict[str, float]:
    """The error against what came and against what was likely, and the trees of Fig. 7 and 9."""
    found = {"actual_error": float(run.squares.sum(axis=1).mean())}
    found |= against(run, likelihoods(run.ids, run.places, len(run.codes)))
    found |= {f"afresh_{name}": n for name, n in against(run, afresh(run.ids, run.places, len(run.codes))).items()}
    means = mean_vectors(run)
    found |= {f"tree_{name}": 100.0 * held for name, held in groups_of(tree(means)).items()}
    distances = ((run.hidden**2).sum(axis=1)[:, None] - 2 * run.hidden @ means.T) + (means**2).sum(axis=1)
    found["tokens_right"] = share(distances.argmin(axis=1) == run.ids)
    found["tokens_alike"] = float(len(run.ids) - len(np.unique(run.hidden, axis=0)))
    found |= {f"places_{word}": place_of_neighbours(run, WORDS.index(word)) for word in ("boy", "girl")}
    return found


def mean_vectors(run: Run) -> Floats:
    """(words, H): all hidden vectors that a word has produced, "in all its contexts", averaged."""
    return np.array([run.hidden[run.ids == i].mean(axis=0) for i in range(len(WORDS))])


def tree(vectors: Floats) -> NDArray[np.float64]:
    """The hierarchical clustering of vectors, as scipy has it: distances of clusters are means over their pairs."""
    from scipy.cluster.hierarchy import linkage

    return linkage(vectors, "average")


def branches(links: NDArray[np.float64]) -> list[frozenset[int]]:
    """The leaves under each node of a tree, the leaves themselves left out, the root last."""
    under = [frozenset([i]) for i in range(len(links) + 1)]
    for first, second, *_ in links:
        under.append(under[int(first)] | under[int(second)])
    return under[len(links) + 1 :]


def groups_of(links: NDArray[np.float64]) -> dict[str, bool]:
    """Of each group of Fig. 7 whether a branch holds just its words; `nouns_verbs`: the two at the top part them."""
    held = set(branches(links))
    found = {name: frozenset(map(WORDS.index, words)) in held for name, words in GROUPS.items()}
    nouns = frozenset(range(len(WORDS))) - frozenset(map(WORDS.index, VERBS))
    return {"nouns_verbs": found["verbs"] and nouns in held, **found}


def place_of_neighbours(run: Run, word: int, most: int = 400) -> float:
    """Per cent of the occurrences of a word whose nearest other occurrence, among the first `most`, also begins a
    sentence, or also does not (Fig. 9)."""
    which = np.flatnonzero(run.ids == word)[:most]
    vectors, begins = run.hidden[which], run.places[which] == 0
    distances = ((vectors[:, None] - vectors) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return share(begins[distances.argmin(axis=1)] == begins)


def novel(run: Run, instead_of: str) -> dict[str, float]:
    """Fig. 8: of a run in which a word unheard of stands for one, where its branch is joined to the others."""
    means = mean_vectors(run)
    others = set(branches(tree(means)))
    zog = WORDS.index(instead_of)
    joined = min((branch for branch in others if zog in branch), key=len) - {zog}
    names = {WORDS[i] for i in joined}
    return {
        "zog_human": 100.0 * (names <= {*GROUPS["humans"]}),
        "zog_noun": 100.0 * (not names & {*VERBS}),
    }


METRICS = {"xor": xor, "letters": letters, "words": words, "sentences": sentences}
