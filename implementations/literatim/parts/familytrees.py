"""The two family trees of Rumelhart, Hinton and Williams (1986, Fig. 2): who is what of whom."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from literatim.errors import LiteratimError, did_you_mean

# In the order of Fig. 2.
RELATIONSHIPS = (
    "father", "mother", "husband", "wife", "son", "daughter",
    "uncle", "aunt", "brother", "sister", "nephew", "niece",
)  # fmt: skip
# Fig. 2: "husband = wife": their children. Before each tree its people: the English in the order of Fig. 4, the
# Italians in the order of those to whom they correspond.
TREES = (
    (
        "Christopher Andrew Arthur James Charles Colin Penelope Christine Victoria Jennifer Margaret Charlotte",
        {
            "Christopher = Penelope": "Arthur Victoria",
            "Andrew = Christine": "James Jennifer",
            "Arthur = Margaret": "",
            "James = Victoria": "Colin Charlotte",
            "Charles = Jennifer": "",
        },
    ),
    (
        "Roberto Pierro Emilio Marco Tomaso Alfonso Maria Francesca Lucia Angela Gina Sophia",
        {
            "Roberto = Maria": "Emilio Lucia",
            "Pierro = Francesca": "Marco Angela",
            "Emilio = Gina": "",
            "Marco = Lucia": "Alfonso Sophia",
            "Tomaso = Angela": "",
        },
    ),
)


class Family:
    """One tree: its couples and their children. Uncles and aunts by marriage count: Colin "has two aunts"."""

    def __init__(self, couples: list[tuple[str, str]], children: dict[str, list[str]], men: list[str]) -> None:
        """`children` by their mother."""
        self.men = men
        self.spouse = {one: other for pair in couples for one, other in (pair, pair[::-1])}
        self.mother = {child: mother for mother, all_of_hers in children.items() for child in all_of_hers}
        self.children = children | {self.spouse[mother]: of_hers for mother, of_hers in children.items()}

    def parents(self, person: str) -> list[str]:
        mother = self.mother.get(person)
        return [mother, self.spouse[mother]] if mother else []

    def siblings(self, person: str) -> list[str]:
        mother = self.mother.get(person)
        return [other for other in self.children[mother] if other != person] if mother else []

    def married(self, person: str) -> list[str]:
        return [self.spouse[person]] if person in self.spouse else []

    def related(self, person: str, relationship: str) -> list[str]:
        """Those who are the father, …, the niece of a person."""
        kin = {
            "father": self.parents, "mother": self.parents, "husband": self.married, "wife": self.married,
            "son": lambda of: self.children.get(of, []), "daughter": lambda of: self.children.get(of, []),
            "uncle": self.of_the_parents, "aunt": self.of_the_parents,
            "brother": self.siblings, "sister": self.siblings,
            "nephew": self.of_the_siblings, "niece": self.of_the_siblings,
        }[relationship](person)  # fmt: skip
        male = relationship in ("father", "husband", "son", "uncle", "brother", "nephew")
        return [other for other in kin if (other in self.men) == male]

    def of_the_parents(self, person: str) -> list[str]:
        """Their brothers and sisters, and whom these married."""
        by_blood = [other for parent in self.parents(person) for other in self.siblings(parent)]
        return by_blood + [other for aunt in by_blood for other in self.married(aunt)]

    def of_the_siblings(self, person: str) -> list[str]:
        """Children of brothers and sisters, one's own or one's husband's or wife's."""
        near = [other for one in [person, *self.married(person)] for other in self.siblings(one)]
        return [child for sibling in near for child in self.children.get(sibling, [])]


@cache
def families() -> tuple[tuple[tuple[str, ...], Family], ...]:
    """The people of each tree, the six men first, in the order in which Fig. 4 names the English ones; and the tree."""
    found = []
    for order, tree in TREES:
        names = tuple(order.split())
        couples, children = [], {}
        for couple, offspring in tree.items():
            husband, wife = couple.split(" = ")
            couples.append((husband, wife))
            children[wife] = offspring.split()
        found.append((names, Family(couples, children, list(names[: len(names) // 2]))))
    return tuple(found)


@cache
def people() -> tuple[str, ...]:
    """All 24, the English ones first; an Italian stands where the English equivalent does."""
    return tuple(name for names, _ in families() for name in names)


@cache
def facts() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """(person 1, relationship, those who may be person 2), in the order of the people and of the relationships."""
    return tuple(
        (person, relationship, tuple(answers))
        for names, family in families()
        for person in names
        for relationship in RELATIONSHIPS
        if (answers := family.related(person, relationship))
    )


@cache
def all_cases() -> tuple[Tensor, Tensor]:
    """(inputs, desired outputs): (104, 36), one of 24 people and one of 12 relationships on; (104, 24)."""
    inputs, answers = torch.zeros(len(facts()), 36), torch.zeros(len(facts()), 24)
    for case, (person, relationship, others) in enumerate(facts()):
        inputs[case, people().index(person)] = inputs[case, 24 + RELATIONSHIPS.index(relationship)] = 1
        answers[case, [people().index(other) for other in others]] = 1
    return inputs.double(), answers.double()


def read_question(text: str) -> tuple[str, str]:
    """(person, relationship) of "Colin has-aunt". Raises LiteratimError where a word of it is not known."""
    words = text.split()
    if len(words) != 2:
        raise LiteratimError(f'"{text}" has {len(words)} words; ask with a person and a relationship: Colin has-aunt')
    person, relationship = words[0], words[1].removeprefix("has-")
    if person not in people():
        raise LiteratimError(f'"{text}", word 1: nobody is called {person}{did_you_mean(person, people())}')
    if relationship not in RELATIONSHIPS:
        meant = did_you_mean(relationship, RELATIONSHIPS)
        raise LiteratimError(f'"{text}", word 2: there is no relationship "{relationship}"{meant}')
    return person, relationship
