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

function claimFilter() {
  const group = document.querySelector(".filter-verdicts");
  if (!group) return;
  const rows = [...document.querySelectorAll(".scroll.claims tbody tr")];
  const choose = (verdict) => {
    for (const button of group.children) button.setAttribute("aria-pressed", button.dataset.verdict === verdict);
    for (const row of rows) row.hidden = verdict !== "all" && row.dataset.verdict !== verdict;
  };
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) choose(button.dataset.verdict);
  });
  // A link to a claim must find it, whatever is filtered out.
  const reveal = () => {
    const row = rows.find((row) => row.id === location.hash.slice(1));
    if (row?.hidden) {
      choose("all");
      row.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();
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
paperTable();
films();
formulas();
for (const demo of document.querySelectorAll(".demo")) import(here(`${demo.dataset.demo}.js`));
if (document.querySelector(".playground")) import(here("playground.js"));
