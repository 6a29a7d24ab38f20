"""MkDocs' hooks: the generated pages are written before a build, third parties' files are copied into it after."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority

from literatim.errors import LiteratimError
from literatim.pages import edition
from literatim.pages.feed import FEEDS
from literatim.pages.listing import with_address
from literatim.pages.site import write
from literatim.registry import index, ledger, reading
from literatim.registry.facts import facts_folder

ROOT = Path(__file__).resolve().parents[3]
# What the site serves of the packages in package-lock.json: (package, files as glob patterns, folder below vendor).
VENDOR = (  # each with its licence; the ONNX runtime has it in README.md and in the head of its scripts
    ("katex", ("dist/katex.min.js", "dist/katex.min.css", "dist/fonts/*.woff2", "LICENSE"), "katex"),
    ("@fontsource-variable/inter", ("index.css", "files/inter-*-wght-normal.woff2", "LICENSE"), "inter"),
    (
        "@fontsource-variable/jetbrains-mono",
        ("index.css", "files/jetbrains-mono-*-wght-normal.woff2", "LICENSE"),
        "jetbrains-mono",
    ),
    (
        "onnxruntime-web",
        ("dist/ort.wasm.min.mjs", "dist/ort-wasm-simd-threaded.mjs", "dist/ort-wasm-simd-threaded.wasm", "README.md"),
        "onnxruntime",
    ),
)
BUILDING: list[Any] = []  # static-i18n builds the other languages within the build of the first
# What `make serve` rendered and indexed before. An edit changes few pages, and to render all of them anew takes longer
# than an author wants to wait.
RENDERED: dict[str, tuple[str, dict[str, Any]]] = {}  # address -> the page's Markdown, and what came of it
INDEXED: dict[str, list[Any]] = {}  # address -> the page's entries in the search index
KEPT = ("content", "toc", "present_anchor_ids", "links_to_anchors")


def on_pre_build(config: Any) -> None:
    """Write the generated pages anew. `make serve` sees edits of cards and sources, not those of the generator."""
    BUILDING.append(config)
    if len(BUILDING) > 1:
        return
    for remembered in (index.read_index, reading.card, reading.claims, ledger.hashes, edition.tree):
        remembered.cache_clear()
    try:
        write(Path(config["docs_dir"]), facts_folder(), ROOT / "tutorials", config["site_url"] or "")
    except LiteratimError as error:
        raise PluginError(str(error)) from None
    config["extra"]["feed"] = all((Path(config["docs_dir"]) / name).exists() for name in FEEDS.values())


def on_build_error(error: Exception) -> None:
    BUILDING.clear()


def on_serve(server: Any, config: Any, builder: Any) -> None:
    """Watch what is written by hand; that the generator has written something is no reason to build again."""
    docs = Path(config["docs_dir"])
    server.unwatch(str(docs))
    for path in (docs / "guides", docs / "overrides", *docs.glob("assets/*.*")):
        server.watch(str(path))
    server.watch(str(docs), recursive=False)


@event_priority(-200)  # after static-i18n, whose links of the first page begin at the server's root
def on_page_context(context: Any, page: Any, config: Any, nav: Any) -> None:
    """Let the switch of languages lead from every page to its other language, wherever the site is served."""
    for switch in getattr(config["extra"], "alternate", ()):  # an attribute, beside the mapping's own
        if other := getattr(page.file, "alternates", {}).get(switch["lang"]):
            switch["link"] = other.url


def on_post_template(output: str, template_name: str, config: Any) -> str:
    """A sitemap names whole addresses: there is none where nobody has said where the site will be."""
    return "" if template_name == "sitemap.xml" and not config["site_url"] else output


@event_priority(-200)  # after static-i18n, which builds the other language and its search index then
def on_post_build(config: Any) -> None:
    BUILDING.pop()
    for package, patterns, folder in VENDOR:
        source, to = ROOT / "node_modules" / package, Path(config["site_dir"]) / "assets" / "vendor" / folder
        copy(source, patterns, to)

    split_index(Path(config["site_dir"]) / "search")


def split_index(folder: Path) -> None:
    """An index for each language: who searches on an English page wants no Chinese ones, and needs not load them.

    Material writes one for both, after the last language; the script in overrides/main.html asks for the right one.
    """
    path = folder / "search_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, list[Any]] = {}
    for doc in index["docs"]:
        found.setdefault(doc["location"].partition("#")[0], []).append(doc)
    INDEXED.update(found)
    for page in [page for page in INDEXED if not (folder.parent / page / "index.html").exists()]:
        del INDEXED[page]
    for name, chinese in (("search_index.json", False), ("search_index.zh.json", True)):
        docs = [doc for page, of_page in INDEXED.items() if page.startswith("zh/") is chinese for doc in of_page]
        (folder / name).write_text(json.dumps({**index, "docs": docs}, ensure_ascii=False), encoding="utf-8")


def copy(source: Path, patterns: tuple[str, ...], to: Path) -> None:
    """Copy the files that the patterns name, `dist/` left out of their path; what is there already stays."""
    for pattern in patterns:
        found = sorted(source.glob(pattern))
        if not found:
            raise PluginError(f"{source}: there is no {pattern}; run npm ci --ignore-scripts")
        for path in found:
            target = to / path.relative_to(source).as_posix().removeprefix("dist/")
            if not target.exists() or target.stat().st_size != path.stat().st_size:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    if page.file.src_uri.startswith("guides/quickstart"):
        markdown = with_address(markdown)
    before = RENDERED.get(page.file.dest_uri)
    if before and before[0] == markdown:
        page.meta["search"] = {"exclude": True}
        return ""
    RENDERED[page.file.dest_uri] = (markdown, {})
    return markdown


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    _, kept = RENDERED[page.file.dest_uri]
    if not kept:
        kept.update({name: getattr(page, name) for name in KEPT} | {"content": html})
    for name, value in kept.items():
        setattr(page, name, value)
    return str(kept["content"])
