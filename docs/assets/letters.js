// Elman's network of the letters (1990) reads what is typed and predicts the next letter, in the reader's browser, with the
// weights of a recorded run.
//
//   <div class="demo" data-demo="letters" data-model="letters.safetensors"></div>
//
// For those who want to look closer the element then has `trace`: for each letter { hidden, outputs, nearest, error }.

import { make, offer } from "./demos.js";

// Table 1 of the paper.
const CODES = { b: "101001", d: "101101", g: "101011", a: "010011", i: "010101", u: "010111" };
const LETTERS = Object.keys(CODES), VOWELS = "aiu", SYLLABLES = ["ba", "dii", "guuu"];
const BITS = Object.fromEntries(LETTERS.map((letter) => [letter, Array.from(CODES[letter], Number)]));
const MOST = 60; // letters that the table has room for

const TEXTS = {
  en: {
    about:
      "The network has seen ba, dii and guuu in random order, letter by letter and without gaps. Type letters: after each " +
      "it says in six bits what comes next, and its hidden units are what it remembers. The vowels follow from the " +
      "consonant; which consonant follows is chance. Try one i or four u, or begin with a vowel.",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    field: `Letters (${LETTERS.join(", ")})`, fresh: "Draw another",
    unknown: (letter, place) => `“${letter}” at place ${place} is not one of ${LETTERS.join(", ")}.`,
    many: `At most ${MOST} letters.`, none: "Nothing is typed yet.",
    next: (last, letter) => `After ${last} the nearest letter to what is predicted is ${letter}.`,
    right: (what, right, n, error) => ` Of ${n} ${what}, ${right} predicted; mean error ${error}.`,
    vowels: "vowels", consonants: "consonants (after the first letter)",
    columns: ["Letter", "Nearest", "Next", "Error", "Hidden units"],
    bits: ["Consonant", "Vowel", "Interrupted", "High", "Back", "Voiced"], predicted: "Predicted bits",
    table: "After each letter: the letter nearest to what is predicted, the next one, its error, hidden units, predicted bits", hidden: (values) => `20 units: ${values}`,
  },
  zh: {
    about:
      "网络见过随机排列的 ba、dii、guuu，逐个字母输入，中间没有间隔。请键入字母：每读入一个，它用六位预测下一个，隐藏单元则是它所记住的。" +
      "元音由辅音决定，接下来是哪个辅音则全凭偶然。试试一个 i、四个 u，或以元音开头。",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    field: `字母（${LETTERS.join("、")}）`, fresh: "另抽一串",
    unknown: (letter, place) => `第 ${place} 个字母“${letter}”不在 ${LETTERS.join("、")} 之内。`,
    many: `至多 ${MOST} 个字母。`, none: "尚未键入字母。",
    next: (last, letter) => `${last} 之后，与预测最接近的字母是 ${letter}。`,
    right: (what, right, n, error) => `${what} ${n} 个，预测对 ${right} 个，平均误差 ${error}。`,
    vowels: "元音", consonants: "辅音（首字母除外）",
    columns: ["字母", "预测", "实际", "误差", "隐藏单元"],
    bits: ["辅音", "元音", "阻断", "高", "后", "浊音"], predicted: "预测的各位",
    table: "每个字母之后：与预测最接近的字母、实际的下一个、误差、隐藏单元、预测的各位", hidden: (values) => `20 个单元：${values}`,
  },
};

const sum = (values) => values.reduce((total, value) => total + value, 0);
const distance = (y, code) => sum(y.map((value, i) => (value - code[i]) ** 2));

/** The network of Fig. 2, as literatim.papers.elman.model has it. */
export class Net {
  constructor(tensors) {
    [this.input, this.context, this.output] = ["from_input", "from_context", "output"].map((name) => tensors[`${name}.weight`]);
    [this.hiddenBias, this.outputBias] = ["from_input", "output"].map((name) => Array.from(tensors[`${name}.bias`].data));
  }

  /** Of each letter: the hidden units, the bits predicted of the next, the letter nearest to them, and the squared error,
   * summed over the bits, of the letter that then comes (null after the last). */
  run(letters) {
    const times = ({ data, shape: [, width] }, x, i) => sum(x.map((value, k) => data[i * width + k] * value));
    const logistic = (x) => 1 / (1 + Math.exp(-x));
    let hidden = this.hiddenBias.map(() => 0.5);
    return letters.map((letter, t) => {
      const context = hidden;
      hidden = this.hiddenBias.map((bias, i) => logistic(bias + times(this.input, BITS[letter], i) + times(this.context, context, i)));
      const outputs = this.outputBias.map((bias, i) => logistic(bias + times(this.output, hidden, i)));
      const far = LETTERS.map((other) => distance(outputs, BITS[other]));
      const error = t + 1 < letters.length ? distance(outputs, BITS[letters[t + 1]]) : null;
      return { hidden, outputs, nearest: LETTERS[far.indexOf(Math.min(...far))], error };
    });
  }
}

/** Twelve syllables, each as likely as any other. */
const draw = () => Array.from({ length: 12 }, () => SYLLABLES[Math.floor(Math.random() * 3)]).join("");

/** A bar that is so much of its room, upright or lying. */
function bar(side, share) {
  const element = make("i", { "aria-hidden": "true" });
  element.style[side] = `${100 * share}%`;
  return element;
}

function row(text, letter, next, { hidden, outputs, nearest, error }, most) {
  const units = make("span", { class: "letters-hidden", role: "img", "aria-label": text.hidden(hidden.map((h) => h.toFixed(2)).join(", ")) },
    ...hidden.map((value) => bar("height", value)));
  const fits = next === undefined ? "" : nearest === next ? " ✓" : " ✗";
  return make("tr", {},
    make("th", { scope: "row" }, letter), make("td", { class: "letters-nearest" }, nearest), make("td", {}, (next ?? "…") + fits),
    make("td", { class: "letters-error" }, ...(error === null ? ["…"] : [error.toFixed(3), bar("width", error / most)])),
    make("td", {}, units),
    ...outputs.map((value) => make("td", { class: "letters-bit" }, make("span", {}, value.toFixed(2), bar("width", value)))));
}

function table(text, letters, trace) {
  const most = Math.max(1, ...trace.map(({ error }) => error ?? 0));
  const columns = text.columns.map((name) => make("th", { scope: "col", rowspan: 2 }, name));
  const bits = make("th", { scope: "colgroup", colspan: 6 }, text.predicted);
  return make("table", { class: "letters-table" },
    make("thead", {}, make("tr", {}, ...columns, bits),
      make("tr", {}, ...text.bits.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...letters.map((read, t) => row(text, read, letters[t + 1], trace[t], most))));
}

/** What the status says: the letter expected now, and how well vowels and consonants were predicted. */
function summary(text, letters, trace) {
  const told = (what, wanted) => {
    const places = letters.map((_, t) => t).filter((t) => t > 0 && VOWELS.includes(letters[t]) === wanted);
    const right = places.filter((t) => trace[t - 1].nearest === letters[t]).length;
    const error = sum(places.map((t) => trace[t - 1].error)) / places.length;
    return places.length ? text.right(what, right, places.length, error.toFixed(3)) : "";
  };
  return text.next(letters.at(-1), trace.at(-1).nearest) + told(text.vowels, true) + told(text.consonants, false);
}

function build(element, text, net) {
  const field = make("input", { type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "none", value: "badiiguuu" });
  const fresh = make("button", { type: "button" }, text.fresh), status = make("p", { role: "status" });
  const shown = make("div", { class: "letters-shown", role: "group", tabindex: 0, "aria-label": text.table });
  element.append(make("label", {}, make("span", {}, text.field), field), make("p", {}, fresh), status, shown);

  function pass() {
    const letters = [...field.value].filter((letter) => letter.trim()), wrong = letters.findIndex((letter) => !LETTERS.includes(letter));
    const fault = !letters.length ? text.none : wrong >= 0 ? text.unknown(letters[wrong], wrong + 1) : letters.length > MOST ? text.many : "";
    field.setAttribute("aria-invalid", Boolean(fault));
    element.trace = fault ? [] : net.run(letters);
    status.textContent = fault || summary(text, letters, element.trace);
    shown.replaceChildren(...(fault ? [] : [table(text, letters, element.trace)]));
  }
  field.addEventListener("input", pass);
  fresh.addEventListener("click", () => {
    field.value = draw();
    pass();
  });
  pass();
}

offer("letters", TEXTS, (element, text, tensors) => build(element, text, new Net(tensors)));
