// What every page does: formulas, filters, the table of papers. Demos and formulas load only where a page has them.

const here = (path) => new URL(path, import.meta.url).href;

async function formulas() {
  const places = document.querySelectorAll(".arithmatex");
  if (!places.length) return;
  const styles = Object.assign(document.createElement("link"), {
    rel: "stylesheet",
    href: here("vendor/katex/katex.min.css"),
  });
  const script = Object.assign(document.createElement("script"), { src: here("vendor/katex/katex.min.js") });
  document.head.append(styles, script);
  await new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
  for (const place of places) {
    const text = place.textContent.trim();
    const display = text.startsWith("\\[");
    window.katex.render(text.replace(/^\\[[(]|\\[\])]$/g, ""), place, { displayMode: display, throwOnError: false });
    if (display) place.tabIndex = 0; // wide formulas scroll
  }
}

/** Open whatever a place of the page is folded away in. */
function unfold(place) {
  for (let part = place; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
}

/** A link to a place must find it, whatever is folded or filtered out. */
function reveal() {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place?.closest("details")) return;
  if (place.hidden || place.closest("details[hidden]")) document.querySelector(".filter-verdicts button").click();
  unfold(place);
  place.scrollIntoView();
}

function claimFilter() {
  const group = document.querySelector(".filter-verdicts");
  if (!group) return;
  const places = [...document.querySelectorAll(".places details.place")].map((place) => ({
    place, parts: [...place.querySelectorAll("details")], rows: [...place.querySelectorAll("tbody tr")], open: place.open,
  }));
  const choose = (verdict) => {
    const all = verdict === "all";
    for (const button of group.children) button.setAttribute("aria-pressed", button.dataset.verdict === verdict);
    for (const { place, parts, rows, open } of places) {
      for (const row of rows) row.hidden = !all && row.dataset.verdict !== verdict;
      place.hidden = rows.every((row) => row.hidden);
      place.open = all ? open : true;
      for (const part of parts) part.open = verdict === "not attempted";
      for (const table of place.querySelectorAll(".scroll")) table.hidden = !table.querySelector("tbody tr:not([hidden])");
      const more = place.closest(".more");
      if (more) more.open = !all;
      for (const part of parts) part.hidden = !part.querySelector("tbody tr:not([hidden])");
    }
  };
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) choose(button.dataset.verdict);
  });
}

/** A button on each claim that copies the address of its row. */
function claimLinks() {
  const places = document.querySelector(".places");
  for (const itself of document.querySelectorAll(".places a.self")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy-claim" });
    const { copy, copied } = places.dataset;
    button.title = copy;
    button.setAttribute("aria-label", copy);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(itself.href);
      button.title = copied;
      button.setAttribute("aria-label", copied);
      button.classList.add("is-copied");
    });
    itself.after(button);
  }
}

function paperTable() {
  const form = document.querySelector(".filter-papers");
  const table = document.querySelector(".scroll.papers table");
  if (!form || !table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const shows = (row) => {
    const { text, topic, verdict, from, to } = Object.fromEntries(new FormData(form));
    const year = Number(row.dataset.year);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return (
      words.every((word) => row.dataset.words.includes(word)) &&
      (!topic || row.dataset.topics.split(" ").includes(topic)) &&
      (!verdict || row.dataset.verdicts.split(" ").includes(verdict)) &&
      (!from || year >= Number(from)) &&
      (!to || year <= Number(to))
    );
  };
  const output = form.querySelector("output");
  const filter = () => {
    for (const row of rows) row.hidden = !shows(row);
    output.textContent = output.dataset.says.replace("{n}", rows.filter((row) => !row.hidden).length);
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();

  table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const head = button.closest("th");
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.dataset[button.dataset.sort];
    const compare = (a, b) => key(a).localeCompare(key(b), document.documentElement.lang, { numeric: true });
    rows.sort((a, b) => (up ? compare(a, b) : compare(b, a)));
    body.append(...rows);
  });
}

/** Films can be stopped, and begin stopped where the reader wants no motion. */
function films() {
  for (const figure of document.querySelectorAll("figure.film")) {
    const [source, image, button] = ["source", "img", "button"].map((tag) => figure.querySelector(tag));
    const still = source.srcset, moving = image.getAttribute("src");
    let plays = !matchMedia(source.media).matches;
    const say = () => (button.textContent = plays ? button.dataset.stop : button.dataset.play);
    button.addEventListener("click", () => {
      plays = !plays;
      source.remove();
      image.src = plays ? moving : still;
      say();
    });
    button.hidden = false;
    say();
  }
}

claimFilter();
claimLinks();
addEventListener("hashchange", reveal);
reveal();
addEventListener("beforeprint", () => document.querySelectorAll(".md-content details").forEach((part) => (part.open = true)));
paperTable();
films();
formulas();
for (const demo of document.querySelectorAll(".demo")) {
  const load = () => import(here(`${demo.dataset.demo}.js`));
  if (!("waits" in demo.dataset)) load();
  else demo.querySelector(".begin").addEventListener("click", ({ target }) => {
    target.disabled = true;
    demo.dataset.waits = "begun"; // the demo begins as soon as its script is there
    load();
  });
}
if (document.querySelector(".playground")) import(here("playground.js"));
