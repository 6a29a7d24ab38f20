"""The network of Fig. 1 with its printed weights on all 64 vectors, and the cases of both tasks."""

from __future__ import annotations

import torch
from torch import Tensor

from literatim.claims import Finding
from literatim.papers.backprop import learned, model
from literatim.parts import familytrees, symmetry


def weights() -> Tensor:
    """(2, 6): those of the two hidden units."""
    return model.SymmetryNet.printed().get_parameter("hidden.weight").detach()


def number(row: str) -> float:
    """The number on an arc of Fig. 1, or inside a node, with which the network is run."""
    net = model.SymmetryNet.printed()
    where, _, which = row.partition("-")
    side = {"left": 0, "right": 1}
    if where in side:
        found = net.get_parameter("hidden.weight")[side[where], int(which) - 1]
    elif where == "output":
        found = net.get_parameter("output.weight")[0, side[which]]
    else:
        found = (
            net.get_parameter("output.bias")[0] if which == "output" else net.get_parameter("hidden.bias")[side[which]]
        )
    return float(found.detach())


def states() -> tuple[Tensor, Tensor, Tensor]:
    """(hidden, output, whether symmetrical) for the 64 vectors: (64, 2), (64), (64)."""
    x, d = symmetry.all_vectors()
    with torch.no_grad():
        y = model.SymmetryNet.printed().states(x)
    return y["hidden"], y["output"][:, 0], d[:, 0] > 0.5


def right() -> Finding:
    """Of the 64 vectors those on which the output is on the right side of one half."""
    _, y, symmetrical = states()
    least, most = float(y[symmetrical].min()), float(y[~symmetrical].max())
    return Finding(
        int(((y > 0.5) == symmetrical).sum()),
        f"the {int(symmetrical.sum())} symmetrical vectors at least {least:.3f}, the others at most {most:.3f}",
        f"{int(symmetrical.sum())} 个对称向量的输出至少为 {least:.3f}，其余至多 {most:.3f}",
    )


def opposite_about_the_middle() -> bool:
    w = weights()
    return torch.equal(w, -w.flip(1)) and bool((w != 0).all())


def ratio(name: str) -> float:
    """By the smallest weight the middle one, or the largest; of the hidden unit on the left."""
    sizes = weights()[0, :3].abs().sort().values
    return float(sizes[{"middle": 1, "largest": 2}[name]] / sizes[0])


def not_opposite() -> float:
    """The most by which a weight of one hidden unit differs from that of the other with its sign turned."""
    return round(float(weights().sum(dim=0).abs().max()), 9)


def sums(side: slice) -> Tensor:
    """(64, 2): what the units on one side of the middle send to each hidden unit."""
    x, _ = symmetry.all_vectors()
    return x[:, side] @ weights()[:, side].T


def balanced() -> bool:
    """For a symmetrical vector both hidden units receive 0 from the inputs."""
    _, _, symmetrical = states()
    total = sums(slice(0, 3)) + sums(slice(3, 6))
    return bool((total[symmetrical].abs() < 1e-9).all())


def unbalanced() -> int:
    """The vectors for which both hidden units receive something else than 0."""
    total = sums(slice(0, 3)) + sums(slice(3, 6))
    return int((total.abs() > 1e-9).all(dim=1).sum())


def unique_sums() -> int:
    """How many sums the patterns above the midpoint send, of the hidden unit that receives the fewer."""
    found = sums(slice(0, 3))
    return min(len(found[:, unit].mul(1e6).round().unique()) for unit in (0, 1))


def only_one_balances() -> bool:
    """For each pattern above the midpoint there is one below that balances it, and that is its mirror image."""
    above, below = sums(slice(0, 3)), sums(slice(3, 6))
    _, _, symmetrical = states()
    return all(torch.equal((above[:, unit] + below[:, unit]).abs() < 1e-9, symmetrical) for unit in (0, 1))


def hidden_off() -> bool:
    hidden, _, symmetrical = states()
    biases = model.SymmetryNet.printed().get_parameter("hidden.bias")
    return bool((hidden[symmetrical] < 0.5).all()) and bool((biases < 0).all())


def output_on() -> bool:
    _, y, symmetrical = states()
    bias = model.SymmetryNet.printed().get_parameter("output.bias")
    return bool((y[symmetrical] > 0.5).all()) and bool(bias > 0)


def one_comes_on() -> int:
    """The vectors for which exactly one hidden unit is on and the output off."""
    hidden, y, _ = states()
    return int((((hidden > 0.5).sum(dim=1) == 1) & (y < 0.5)).sum())


# --- The cases -----------------------------------------------------------------------------------------


def vectors() -> int:
    return len(symmetry.all_vectors()[0].unique(dim=0))


def no_evidence() -> bool:
    """Each input unit is on for half of the symmetrical vectors and for half of the others."""
    x, d = symmetry.all_vectors()
    symmetrical = d[:, 0] > 0.5
    half = torch.full((6,), 0.5, dtype=torch.float64)
    return torch.equal(x[symmetrical].mean(dim=0), half) and torch.equal(x[~symmetrical].mean(dim=0), half)


def counted(what: str) -> int:
    x, _ = familytrees.all_cases()
    return {
        "people": len(set(familytrees.people())),
        "relationships": len(set(familytrees.RELATIONSHIPS)),
        "cases": len(x.unique(dim=0)),
        "active": int(x.sum(dim=1).unique()),
    }[what]


def aunts() -> int:
    """Those whom the question of Fig. 3 asks for."""
    return len({(a, b): c for a, b, c in familytrees.facts()}["Colin", "aunt"])


def isomorphic() -> bool:
    """With every Italian in the place of the English equivalent the two trees are the same."""
    (english, _), (italian, _) = familytrees.families()
    other = dict(zip(english, italian, strict=True))
    of_both = [
        (other.get(a, a), r, tuple(sorted(other.get(one, one) for one in answers)))
        for a, r, answers in familytrees.facts()
    ]
    return sorted(of_both[: len(of_both) // 2]) == sorted(of_both[len(of_both) // 2 :])


def a_unit_each() -> bool:
    """No two people share an input unit or an output unit."""
    x, d = familytrees.all_cases()
    asked = {person: x[i, :24].argmax().item() for i, (person, _, _) in enumerate(familytrees.facts())}
    return len(set(asked.values())) == 24 == len(asked) and bool((d.sum(dim=0) > 0).all())


def branches() -> bool:
    """`learned` has the generations and branches of Fig. 2: husband and wife are of one generation, a child of the
    next, and of the branch of its parents where they share one."""
    names = familytrees.people()[:12]
    generation, branch = (dict(zip(names, of, strict=True)) for of in (learned.GENERATION, learned.BRANCH))
    found = []
    for person, relationship, others in familytrees.facts()[: len(familytrees.facts()) // 2]:
        for other in others:
            if relationship in ("husband", "wife"):
                found.append(generation[person] == generation[other])
            elif relationship in ("father", "mother"):
                found.append(generation[person] == generation[other] + 1)
                found.append(branch[person] in (0, branch[other]))
            elif relationship in ("brother", "sister"):
                found.append(branch[person] == branch[other])
    return all(found) and set(generation.values()) == {1, 2, 3} and set(branch.values()) == {-1, 0, 1}
