// The page of the literature index: searched and filtered as one types, a timeline, a graph to zoom.

const form = document.querySelector(".filter-literature");

/** Text as a keyboard without accents has it: Veličković is found by "velickovic", Łukasz by "lukasz". */
const folded = (text) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ł", "l").replaceAll("ø", "o");

function search() {
  const entries = [...document.querySelectorAll(".entries > article")].map((element) => ({
    element,
    year: Number(element.dataset.year),
    topics: element.dataset.topics.split(" "),
    code: element.dataset.code,
    text: folded(`${element.textContent} ${element.dataset.words}`),
  }));
  const output = form.querySelector("output");
  const bars = [...document.querySelectorAll(".years button")];
  const filter = () => {
    const { text, topic, code, from, to } = Object.fromEntries(new FormData(form));
    const words = folded(text).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { element, year, topics, code: has, text: all } of entries) {
      const fits =
        words.every((word) => all.includes(word)) && (!topic || topics.includes(topic)) && (!code || has === code) &&
        (!from || year >= Number(from)) && (!to || year <= Number(to));
      if (element.hidden === fits) element.hidden = !fits;
      shown += fits;
    }
    for (const bar of bars) {
      bar.setAttribute("aria-pressed", from === to && bar.dataset.year === from);
    }
    output.textContent = output.dataset.says.replace("{n}", shown);
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.querySelector(".years").addEventListener("click", (event) => {
    const bar = event.target.closest("button");
    if (!bar) return;
    const again = bar.getAttribute("aria-pressed") === "true";
    form.elements.from.value = form.elements.to.value = again ? "" : bar.dataset.year;
    filter();
  });
  // A link to an entry must find it, whatever is filtered out.
  const reveal = () => {
    const entry = entries.find(({ element }) => element.id === decodeURIComponent(location.hash.slice(1)));
    if (!entry) return;
    if (entry.element.hidden) {
      form.reset();
      filter();
    }
    entry.element.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  filter();
  reveal();
}

function graph() {
  const box = document.querySelector(".whole-graph");
  const svg = box.querySelector("svg");
  const scroll = svg.parentElement;
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const size = (scale) => {
    const bounded = Math.min(3, Math.max(0.15, scale));
    const [x, y] = [scroll.scrollLeft + scroll.clientWidth / 2, scroll.scrollTop + scroll.clientHeight / 2];
    const factor = (bounded * width) / svg.getAttribute("width");
    svg.setAttribute("width", bounded * width);
    svg.setAttribute("height", bounded * height);
    scroll.scrollTo(x * factor - scroll.clientWidth / 2, y * factor - scroll.clientHeight / 2);
  };
  const scale = () => svg.getAttribute("width") / width;
  const fitting = () => (scroll.clientWidth - 12) / width;
  const whole = () => size(fitting());
  box.addEventListener(
    "toggle",
    () => {
      size(Math.max(0.55, fitting())); // as much of it as can be read
      scroll.scrollLeft = (scroll.scrollWidth - scroll.clientWidth) / 2;
    },
    { once: true },
  );
  box.querySelector(".zoom").addEventListener("click", (event) => {
    const by = event.target.closest("button")?.dataset.zoom;
    if (by) Number(by) ? size(scale() * by) : whole();
  });
  scroll.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return; // plain wheels scroll
      event.preventDefault();
      size(scale() * (event.deltaY < 0 ? 1.1 : 0.9));
    },
    { passive: false },
  );
  const paths = [...svg.querySelectorAll("path")];
  const light = (event) => {
    const paper = event.target.closest("a")?.querySelector("g").dataset.paper;
    for (const path of paths) path.classList.toggle("lit", [path.dataset.from, path.dataset.to].includes(paper));
  };
  svg.addEventListener("pointerover", light);
  svg.addEventListener("focusin", light);
}

if (form) {
  search();
  graph();
}
