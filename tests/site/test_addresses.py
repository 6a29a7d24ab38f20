"""The switch of languages and the sitemap wherever the site is served, by MkDocs on two pages with our settings."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from conftest import CHECKOUT

HOOKS = "from literatim.pages.hooks import on_page_context, on_post_template\n"


PAGES = {"": "zh/", "zh/": "", "other/": "zh/other/", "zh/other/": "other/"}  # and in the other language


@pytest.fixture(scope="module", params=[None, "https://example.org/literatim", "https://example.org/"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str | None, Path]:
    """(what `SITE_URL` says, the site of a home page and one more in both languages)."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "docs").mkdir()
    for name in ("index.md", "index.zh.md", "other.md", "other.zh.md"):
        (folder / "docs" / name).write_text(f"# {name}\n")
    (folder / "hooks.py").write_text(HOOKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SITE_URL", request.param) if request.param else patch.delenv("SITE_URL", raising=False)
        folders = {"docs_dir": str(folder / "docs"), "site_dir": str(folder / "site")}
        config = load_config(str(CHECKOUT / "mkdocs.yml"), hooks=[str(folder / "hooks.py")], **folders)
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
    return request.param, folder / "site"


@pytest.mark.parametrize("root", ["https://example.org/", "https://example.org/literatim/"])
@pytest.mark.parametrize("page", PAGES)
def test_the_switch_of_languages_leads_to_the_page_in_the_other_one(built, root, page):
    found = re.findall(
        r'href="([^"]*)" hreflang="(\w+)" class="md-select__link"', (built[1] / page / "index.html").read_text()
    )
    links = {language: link for link, language in found}
    assert urljoin(root + page, links["en" if page.startswith("zh/") else "zh"]) == root + PAGES[page]
    assert urljoin(root + page, links["zh" if page.startswith("zh/") else "en"]) == root + page


def test_a_sitemap_names_whole_addresses_or_is_not_there(built):
    address, site = built
    assert (site / "sitemap.xml").exists() == (site / "sitemap.xml.gz").exists() == bool(address)
    if address:
        root = address.rstrip("/") + "/"
        places = re.findall(r"<loc>(.*?)</loc>", (site / "sitemap.xml").read_text())
        assert sorted(places) == sorted(root + page for page in PAGES)
        assert f'rel="canonical" href="{root}other/"' in (site / "other" / "index.html").read_text()


def test_a_page_has_a_card_for_others_only_where_its_address_is_known(built):
    address, site = built
    head = (site / "other" / "index.html").read_text()
    assert '<meta property="og:title" content="' in head
    assert ('property="og:image"' in head) == bool(address)
    if address:
        assert f'property="og:image" content="{address.rstrip("/")}/papers/share.png"' in head
