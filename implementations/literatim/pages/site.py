"""Writing the generated pages into `docs/`: only where their text has changed, and without those that are no more."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from literatim.errors import LiteratimError
from literatim.pages import tutorials
from literatim.pages.code import code_page
from literatim.pages.edition import Edition, Entry, edition
from literatim.pages.faults import faults_page
from literatim.pages.feed import FEEDS, feed
from literatim.pages.lineage import lineage_page
from literatim.pages.listing import demos_page, home_page, papers_page
from literatim.pages.literature import indexed, literature_page
from literatim.pages.markup import LANGS, Lang, plain_title
from literatim.pages.misquoted import misquoted_page
from literatim.pages.paper import paper_page
from literatim.pages.picture import images
from literatim.pages.runs import PICTURES, film, samples
from literatim.pages.share import shares
from literatim.registry.facts import facts_of_tutorial, tutorial_key
from literatim.registry.reading import read_text, weights_path

LOG = logging.getLogger("mkdocs.plugins.literatim")  # whose warnings stop `mkdocs build --strict`
# In the order in which they are read.
TUTORIALS = ("gradients", "time", "sgd", "paper", "data", "evaluation", "seeing", "deployment")
FAULTS = "faults.json"  # in docs/, written by `pytest --faults docs/faults.json`
# These folders of docs/ hold generated files and nothing else.
OWNED = ("papers", "tutorials", "assets/models")


def write(docs: Path, facts: Path, tutorials_folder: Path, served: str = "") -> list[str]:
    """Bring the generated pages of a site that will be `served` at an address up to date.

    Returns the files that were written or removed, relative to `docs`.
    """
    found = edition(facts)
    files: dict[str, bytes] = {}
    for lang in LANGS:
        suffix = ".md" if lang == "en" else ".zh.md"
        titles = tutorial_titles(tutorials_folder, suffix)
        pages = {"index": home_page(found, titles, lang), "lineage": lineage_page(found, lang)}
        pages |= {"papers/index": papers_page(found, lang), "demos": demos_page(found, lang)}
        if literature := indexed():
            pages["literature"] = literature_page(found, literature, lang)
            pages["citation-errors"] = misquoted_page(literature, lang)
        if (counted := docs / FAULTS).exists():
            pages["faults"] = faults_page(json.loads(read_text(counted)), lang)
        for entry in found.entries.values():
            pages[f"papers/{entry.id}/index"] = paper_page(entry, found, lang)
            pages |= {f"papers/{entry.id}/{path.stem}": code_page(entry, path, lang) for path in entry.sources}
        files |= {name + suffix: text.encode() for name, text in pages.items()}
        if (news := feed(found, lang, served)) is not None:
            files[FEEDS[lang]] = news
        files |= _tutorials(tutorials_folder, facts, lang)
    files |= navigation(found)
    if os.environ.get("SITE_URL"):
        files |= shares(found)
    for entry in found.entries.values():
        files |= _binaries(entry, facts)
    for name in outrun(found, facts, tutorials_folder):
        LOG.warning("%s has changed since its facts were traced: literatim trace", name)
    return _bring_up_to_date(docs, files)


def tutorial_titles(folder: Path, suffix: str) -> dict[str, str]:
    found = {name: folder / f"{name}{suffix}" for name in TUTORIALS}
    return {name: tutorials.parse(read_text(path)).meta["title"] for name, path in found.items() if path.exists()}


def outrun(found: Edition, facts: Path, tutorials_folder: Path) -> list[str]:
    """Papers and tutorials that have changed since they were traced: their pages show no verdicts, or old figures."""
    papers = [entry.id for entry in found.entries.values() if not entry.fresh and entry.claims]
    sources = {name: tutorials_folder / f"{name}.md" for name in TUTORIALS}
    return papers + [
        name
        for name, path in sources.items()
        if path.exists() and (facts_of_tutorial(name, facts) or {}).get("key") != tutorial_key(read_text(path))
    ]


def _tutorials(folder: Path, facts: Path, lang: Lang) -> dict[str, bytes]:
    """The pages and notebooks of the tutorials in a language, with the figures that their code drew."""
    files = {}
    for source in sorted(folder.glob("*.md")):
        name = source.name.removesuffix(".md").removesuffix(".zh")
        if (lang == "zh") != source.name.endswith(".zh.md"):
            continue
        if (traced := facts_of_tutorial(name, facts)) is None:
            raise LiteratimError(f"{name}.md has not been run yet: literatim trace")
        text, to = read_text(source), "" if lang == "en" else ".zh"
        files[f"tutorials/{source.name}"] = tutorials.page(text, traced["figures"], notebook=f"{name}.ipynb").encode()
        files[f"tutorials/{name}{to}.ipynb"] = json.dumps(
            tutorials.notebook(text), ensure_ascii=False, indent=1
        ).encode()
    return files


def navigation(found: Edition) -> dict[str, bytes]:
    """`.nav.yml` of the papers: the table first, then each paper with its sources."""
    files = {}
    names = ["index.md", *found.entries]
    files["papers/.nav.yml"] = _nav({"nav": names})
    for entry in found.entries.values():
        of_paper = {"title": f"{plain_title(entry.name)} ({entry.card.year})"}
        pages = ["index.md", *(f"{path.stem}.md" for path in entry.sources)]
        files[f"papers/{entry.id}/.nav.yml"] = _nav({**of_paper, "nav": pages})
    return files


def _nav(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()  # JSON is YAML


def _binaries(entry: Entry, facts: Path) -> dict[str, bytes]:
    """The model or weights that a paper's page runs, and the sample pictures of its recorded runs."""
    files = {}
    demo, models = entry.card.demo, [facts / entry.id / f"{entry.id}.onnx"]
    if demo and not demo.network:
        models = [weights_path(entry.id, name) for name in (demo.weights, *demo.beside)]
    for model in models if demo else []:
        if model.exists():
            files[f"assets/models/{model.name}"] = model.read_bytes()
    files |= {f"papers/{entry.id}/{name}": content for name, content in images(entry).items()}
    for record in entry.records:
        pictures = {name: (record.folder / name).read_bytes() for name in samples(record)} | film(record)
        for name, content in pictures.items():
            files[f"papers/{entry.id}/{PICTURES}/{record['recipe']}/{record.folder.name}/{name}"] = content
    return files


def _bring_up_to_date(docs: Path, files: dict[str, bytes]) -> list[str]:
    done = []
    for name, content in files.items():
        path = docs / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            done.append(name)
    for owned in OWNED:
        for path in sorted((docs / owned).rglob("*"), reverse=True):
            name = path.relative_to(docs).as_posix()
            if path.is_file() and name not in files:
                path.unlink()
                done.append(name)
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
    return done
