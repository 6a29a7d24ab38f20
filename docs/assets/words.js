// Neighbours and analogies of words, worked out in the reader's browser from the vectors of a run.
//
//   <div class="demo" data-demo="words" data-model="wordnet.safetensors"></div>
//
// The vectors are loaded only when the reader asks for them.

import { make } from "./demos.js";
import { at } from "./onnx.js";
import { load } from "./vectors.js";

const MEGABYTES = 0.5; // of the vectors, as a test weighs them
const NEIGHBOURS = 10, ANSWERS = 5;
const EXAMPLES = ["river", "music", "violet", "germany"];
const ANALOGIES = [["man", "king", "woman"], ["france", "french", "germany"], ["slow", "slowly", "quick"]];

const TEXTS = {
  en: {
    about: "Start loads the vectors of a run; everything is then worked out in your browser.",
    start: `Start (loads ${MEGABYTES} MB)`,
    loading: "Loading the vectors …",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    neighbours: "Nearest words",
    word: "An English word",
    find: "Find",
    nearest: (word) => `The words nearest to “${word}” by the cosine of their vectors:`,
    analogies: "Analogies",
    places: ["First word", "what it is to", "third word"],
    between: ["is to", "as", "is to …"],
    solve: "Answer",
    answers: (a, b, c) => `The words nearest to vector(“${b}”) − vector(“${a}”) + vector(“${c}”), these three left out:`,
    columns: ["Word", "Cosine"],
    look: (word) => `${word}: look up its neighbours`,
    examples: "Examples:",
    empty: "A word is missing.",
    unknown: (word, n) => `“${word}” is not among the ${n.toLocaleString("en")} words.`,
    meant: "Did you mean:",
    origin: "Where these vectors come from",
    run: (n, d, r) =>
      `The ${n.toLocaleString("en")} most frequent words of the text, each with ${d} numbers from −127 to 127, to which ` +
      `the vectors of a run of this edition were rounded: ${r.paper} ${r.variant}, recipe ${r.recipe}, seed ${r.seed}` +
      `${r.overrides.length ? ` with ${r.overrides.join(" ")}` : ""}; ` +
      `commit ${`${r.commit}`.slice(0, 7)}${r.dirty ? ", with edits" : ""}, code ${r.code_sha256.slice(0, 12)}. The ` +
      "text is the glosses of WordNet 3.0, four million words: little, so some answers are odd. Its notice:",
  },
  zh: {
    about: "按“开始”载入一次运行所得的词向量，此后一切都在浏览器中计算。",
    start: `开始（载入 ${MEGABYTES} MB）`,
    loading: "正在载入词向量……",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    neighbours: "最近的词",
    word: "一个英文词",
    find: "查找",
    nearest: (word) => `按向量的余弦，离“${word}”最近的词：`,
    analogies: "类比",
    places: ["第一个词", "与之相对的词", "第三个词"],
    between: ["之于", "如同", "之于……"],
    solve: "求解",
    answers: (a, b, c) => `离 vector(“${b}”) − vector(“${a}”) + vector(“${c}”) 最近的词（这三个词除外）：`,
    columns: ["词", "余弦"],
    look: (word) => `${word}：查找与它相近的词`,
    examples: "示例：",
    empty: "还缺一个词。",
    unknown: (word, n) => `“${word}”不在这 ${n.toLocaleString("en")} 个词之内。`,
    meant: "是否想输入：",
    origin: "这些向量的来历",
    run: (n, d, r) =>
      `文本中最常见的 ${n.toLocaleString("en")} 个词，每词 ${d} 个 −127 至 127 的整数，由本版一次运行所得的向量取整而来：` +
      `${r.paper} ${r.variant}，配方 ${r.recipe}，种子 ${r.seed}` +
      `${r.overrides.length ? `，选项 ${r.overrides.join(" ")}` : ""}；` +
      `提交 ${`${r.commit}`.slice(0, 7)}${r.dirty ? "（含未提交的改动）" : ""}，代码 ${r.code_sha256.slice(0, 12)}。` +
      "文本是 WordNet 3.0 的释义，共四百万词。这个量很小，所以有些答案会很奇怪。其许可声明如下：",
  },
};

const button = (said, attributes = {}) => make("button", { type: "button", ...attributes }, said);

function field(attributes) {
  return make("input", { type: "text", lang: "en", autocapitalize: "none", autocomplete: "off", spellcheck: "false", ...attributes });
}

/** A form with its examples and its answers; `ask(words)` gives [sentence, answers]. */
function panel(text, vectors, { title, kind, fields, rows, examples, ask, look }) {
  const form = make("form", { class: "words-form" }, ...rows);
  const status = make("p", { class: "words-status", role: "status" });
  const answers = make("div");
  const show = (said, ...children) => {
    status.textContent = said;
    answers.replaceChildren(...children);
  };
  const fill = (words) => {
    fields.forEach((input, k) => (input.value = words[k]));
    run();
  };
  function run() {
    const words = fields.map((input) => input.value.trim().toLowerCase());
    const unknown = words.findIndex((word) => !vectors.has(word));
    fields.forEach((input, k) => input.setAttribute("aria-invalid", k === unknown));
    if (unknown < 0) {
      const [said, found] = ask(words);
      return show(said, table(text, found, look));
    }
    fields[unknown].focus();
    if (!words[unknown]) return show(text.empty);
    const near = vectors.spellings(words[unknown]).map((word) => {
      const choice = button(word, { lang: "en" });
      choice.addEventListener("click", () => {
        fields[unknown].value = word;
        fields[unknown].focus();
        run();
      });
      return choice;
    });
    const meant = near.length ? [make("p", { class: "words-buttons" }, make("span", {}, text.meant), ...near)] : [];
    show(text.unknown(words[unknown], vectors.words.length), ...meant);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  const given = examples.map((words) => {
    const choice = button(words.join(" : ").replace(/^(.*) : (.*) : /, "$1 : $2 = "), { lang: "en" });
    choice.addEventListener("click", () => fill(words));
    return choice;
  });
  const offered = make("p", { class: "words-buttons" }, make("span", {}, text.examples), ...given);
  const shown = make("section", { class: `words-${kind}`, "aria-label": title },
    make("p", { class: "words-title" }, title), form, offered, status, answers);
  return [shown, fill];
}

function table(text, found, look) {
  const rows = found.map(([word, cosine]) => {
    const choice = button(word, { lang: "en", "aria-label": text.look(word) });
    choice.addEventListener("click", () => look(word));
    const bar = make("span", { class: "words-bar" });
    bar.style.setProperty("--share", Math.max(0, cosine));
    return make("tr", {}, make("th", { scope: "row" }, choice),
      make("td", {}, make("span", {}, cosine.toFixed(3).replace("-", "−")), bar));
  });
  const head = make("tr", {}, ...text.columns.map((name) => make("th", { scope: "col" }, name)));
  return make("table", { class: "words-answers" }, make("thead", {}, head), make("tbody", {}, ...rows));
}

function build(element, text, { vectors, about }) {
  const one = field({ "aria-label": text.word });
  const three = text.places.map((name) => field({ "aria-label": name }));
  const look = (word) => {
    fillOne([word]);
    one.focus();
  };
  const between = text.between.map((said) => make("span", {}, said));
  const [neighbours, fillOne] = panel(text, vectors, {
    title: text.neighbours, kind: "neighbours", fields: [one], look,
    rows: [one, make("button", {}, text.find)],
    examples: EXAMPLES.map((word) => [word]),
    ask: ([word]) => [text.nearest(word), vectors.neighbours(word, NEIGHBOURS)],
  });
  const [analogies, fillThree] = panel(text, vectors, {
    title: text.analogies, kind: "analogies", fields: three, look,
    rows: [...three.flatMap((input, k) => [input, between[k]]), make("button", {}, text.solve)],
    examples: ANALOGIES,
    ask: (words) => [text.answers(...words), vectors.analogy(...words, ANSWERS)],
  });
  const run = text.run(vectors.words.length, vectors.size, about.run);
  const notice = make("pre", { lang: "en", tabindex: "0" }, about.notice);
  element.append(make("div", { class: "words-work" }, neighbours, analogies),
    make("details", {}, make("summary", {}, text.origin), make("p", {}, run), notice));
  fillThree(ANALOGIES[0]);
  fillOne([EXAMPLES[0]]);
  one.focus({ preventScroll: true });
}

function offer(element) {
  const text = TEXTS[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  const start = button(text.start, { class: "words-start" });
  const status = make("p", { class: "words-status", role: "status" });
  const offered = [make("p", {}, text.about), start, status];
  element.replaceChildren(...offered);
  start.addEventListener("click", async () => {
    start.disabled = true;
    status.textContent = text.loading;
    try {
      const loaded = await load(element.dataset.model);
      offered.forEach((part) => part.remove());
      build(element, text, loaded);
    } catch (error) {
      start.disabled = false;
      status.textContent = text.failed(error);
    }
  });
}

const demos = document.querySelectorAll(".demo[data-demo=words]");
if (demos.length) document.head.append(make("link", { rel: "stylesheet", href: at("words.css") }));
demos.forEach(offer);
