"""The page of faults: what the tests did to files, runs and command lines, how often, and what was lost."""

from __future__ import annotations

from typing import Any

from literatim.pages.markup import Lang, amount, block, element, esc, front_matter, named, plain_title, row, table
from literatim.pages.words import word
from literatim.registry.schema import Text


def faults_page(faults: dict[str, dict[str, Any]], lang: Lang) -> str:
    """Markdown of `faults.md` from what `pytest --faults FILE` wrote: {kind: {tried, en, zh, lost?, tests}}."""
    columns = ("fault", "fault-tried", "fault-lost", "fault-test")
    rows = [
        row(
            [
                named(Text(en=found["en"], zh=found["zh"]), lang),
                amount(found["tried"]),
                named(Text(**found["lost"]), lang) if "lost" in found else word("fault-nothing", lang),
                "<br>".join(element("code", esc(test)) for test in found["tests"]),
            ],
            id=kind,
        )
        for kind, found in faults.items()
    ]
    tried = sum(found["tried"] for found in faults.values())
    about = word("faults-about", lang, tried=f"{tried:,}", kinds=len(faults))
    return "\n".join(
        [
            front_matter(title=plain_title(word("faults", lang)), description=plain_title(about), hide=["toc"]),
            f"# {word('faults', lang)} {{#top}}\n",
            block(element("p", about)),
            table([word(column, lang) for column in columns], rows, label=word("faults", lang)),
            block(element("p", word("faults-counted", lang))),
        ]
    )
