"""Cards of other shapes than LeNet's, to try the generator on: written by tests, never shipped."""

import json
import shutil
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]

# What a card must show as text, in whatever field it stands. No line in it, for BibTeX and YAML have their own.
HOSTILE = (
    '<script>alert(1)</script>](javascript:alert(1)) "><img src=x onerror=alert(1)> $x$ **b** `<i>c</i>` {{ 7*7 }}'
)


def text(words: str) -> dict[str, str]:
    return {"en": words, "zh": f"{words}（中文）"}


def card(paper: str, **more: object) -> dict[str, object]:
    return {
        "schema": 1,
        "id": paper,
        "title": f"The paper {paper}",
        "authors": ["An Author"],
        "year": 1986,
        "venue": {"type": "article", "name": "A Journal"},
        "bibtex": f"author1986{paper}",
        "topics": ["learning"],
        "sources": {"printing": {"is": "the printing"}},
        "summary": text("a summary"),
        **more,
    }


def claim(name: str, **more: object) -> dict[str, object]:
    return {"id": name, "kind": "structural", "where": "Sec. 1", "source": "printing", "states": text(name), **more}


def without_a_model() -> tuple[dict[str, object], list[dict[str, object]]]:
    """Back-propagation: claims that are checked, and no network of its own."""
    claims = [
        claim("slope", check="literatim.papers.lenet.checks:squash_at_one", printed="1",
              tolerance={"is": 0.1, "why": text("rounded")}),
        claim("run", kind="empirical", printed="3", not_attempted=text("no data"),
              result={"recipe": "none", "variant": "none", "metric": "error"}),
    ]  # fmt: skip
    return card("backprop", name="Back-propagation", doi="10.1038/323533a0", introduces=[text("the rule")]), claims


def with_many_variants() -> tuple[dict[str, object], list[dict[str, object]]]:
    """Many networks, a recipe without a run, another paper of the edition before it, and an erratum in a table."""
    options = [{"c3": c3, "output": output} for c3 in ("table", "dense") for output in ("rbf", "softmax")]
    variants = {
        f"net{i}": {"model": "literatim.papers.lenet.model:LeNet5", "with": given, "input": [1, 32, 32]}
        for i, given in enumerate(options * 3)
    }
    recipe = {"about": text("a recipe"), "data": "digits", "expects": {"metric": "test_error", "at_most": 4}}
    before = [{"id": "backprop", "takes": text("gradients")}, {"id": "lenet", "takes": text("maps")}]
    before.append({"title": "A work outside", "year": 1970, "takes": text("an idea")})
    more = card(
        "many", year=1999, arxiv="1512.03385", variants=variants, recipes={"quick": recipe}, builds_on=before,
        training="literatim.papers.lenet.training:LeNetTraining",
    )  # fmt: skip
    rows = {f"net{i}": "60,000" if i % 4 == 0 else {"printed": "1", "unexplained": {"value": n, "why": text("odd")}}
            for i, n in enumerate([60000, 60850, 60900, 61750])}  # fmt: skip
    return more, [claim("size", measure={"what": "parameters", "variant": "net0"}, over="variant", rows=rows)]


def hostile() -> tuple[dict[str, object], list[dict[str, object]]]:
    """Markup in every field that takes free text."""
    said = {"en": HOSTILE, "zh": HOSTILE}
    variant = {"model": "literatim.papers.lenet.model:LeNet5", "input": [1, 32, 32], "where": HOSTILE}
    deviation = {"paper": said, "ours": said, "why": said, "harmless": said}
    found = card(
        "hostile", name=HOSTILE, title=HOSTILE, authors=[HOSTILE], aliases=[], doi=HOSTILE, topics=["markup"],
        venue={"type": "article", **dict.fromkeys(("name", "volume", "number", "pages", "publisher"), HOSTILE)},
        sources={"printing": {"is": HOSTILE, "note": said}}, summary=said, introduces=[said], variants={"net": variant},
        training="literatim.papers.lenet.training:LeNetTraining",
        builds_on=[{"title": HOSTILE, "doi": HOSTILE, "year": 1980, "takes": said}],
        recipes={"quick": {"about": said, "data": "digits", "deviations": [deviation]}},
        open=[{"where": HOSTILE, "lacks": said, "chosen": HOSTILE, "why": said}],
        compared=[{"with": HOSTILE, "differs": said, "check": "literatim.papers.lenet.checks:popular_differs"}],
    )  # fmt: skip
    claims = [
        claim("odd", where=HOSTILE, states=said, printed=HOSTILE, value=1,
              measure={"what": "parameters", "variant": "net"}, unexplained={"value": 60000, "why": said}),
        claim("fact", where=HOSTILE, states=said, check="literatim.papers.lenet.checks:squash_at_one", printed="1",
              tolerance={"is": 0.1, "why": said}),
        claim("derived", where=HOSTILE, states=said, check="literatim.papers.lenet.checks:squash_at_one", value=1,
              follows_from=said),
        claim("never", kind="empirical", where=HOSTILE, states=said, printed="3", not_attempted=said,
              result={"recipe": "quick", "variant": "net", "metric": "error"}),
    ]  # fmt: skip
    return found, claims


def write_papers(to: Path) -> Path:
    """A folder of papers: LeNet, and the three above; JSON is YAML."""
    for found, claims in (without_a_model(), with_many_variants(), hostile()):
        folder = to / str(found["id"])
        (folder / "recipes").mkdir(parents=True)
        (folder / "card.yaml").write_text(in_sections(found), encoding="utf-8")
        (folder / "claims.yaml").write_text(json.dumps(claims, ensure_ascii=False), encoding="utf-8")
        for recipe in found.get("recipes", {}):  # type: ignore[attr-defined]
            (folder / "recipes" / f"{recipe}.yaml").write_text("seed_everything: 0\n")
    (to / "hostile" / "essay.md").write_text("# An essay\n\nOf our own, so Markdown counts.\n", encoding="utf-8")
    shutil.copytree(CHECKOUT / "papers" / "lenet", to / "lenet")
    return to


def in_sections(found: dict[str, object]) -> str:
    """A card whose sections begin their lines, as the quick reading of heads wants them."""
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in found.items())
