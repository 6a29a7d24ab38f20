// A number in English words, read by a gated network step by step and written in French, in the reader's browser.
//
//   <div class="demo" data-demo="gates" data-model="gru.onnx"></div>
//
// Runtime and network are loaded only when the reader asks for them.

import { make, offerNetwork } from "./demos.js";

const MEGABYTES = 16; // of runtime and network, as a test weighs them; less travels where the server compresses
const STEPS = 10, UNITS = 40, LARGEST = 9999;
const EXAMPLES = ["ninety seven", "eight thousand eighty", "seventy one"];

// The words as the network counts them: in the alphabet's order behind [UNK]; the mark of the end comes last.
const ONES = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
  "eighteen nineteen"
).split(" ");
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const ENGLISH = ["[UNK]", ...[...ONES, ...TENS, "hundred", "thousand"].sort()];
const FRENCH = ["[UNK]", ...(
  "cent cents cinq cinquante deux dix douze et huit mille neuf onze quarante quatorze quatre quinze seize sept six " +
  "soixante treize trente trois un vingt vingts"
).split(" "), "zéro"];

const TEXTS = {
  en: {
    about:
      "Write a number up to 9,999 in English words. The network reads it a word at a time; below are the gates and the " +
      "state of some of its units after every word, and what it writes in French.",
    start: `Start (loads up to ${MEGABYTES} MB)`,
    loading: "Loading ONNX Runtime and the network …",
    noWasm: "This demo needs WebAssembly, which this browser does not offer.",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    phrase: "A number in words",
    examples: "Examples:",
    empty: "A number in words is missing.",
    unknown: (word) => `“${word}” is none of the words of numbers up to 9,999.`,
    long: `At most ${STEPS - 1} words are read.`,
    writes: "The network writes: ",
    end: "end",
    sure: (share) => `${(100 * share).toFixed(share > 0.9995 ? 0 : 1)} %`,
    choose: "Shown of each unit:",
    names: { z: "update gate z", r: "reset gate r", h: "state h" },
    map: (name, words) => `The ${name} of the first ${UNITS} units after each of: ${words}`,
    caption: {
      z: "Strong: z near 1, the unit keeps its state. Faint: z near 0, the state is replaced.",
      r: "Strong: r near 1, the candidate sees the old state. Faint: r near 0, it sees the new word alone.",
      h: "Strong: 1; faint: −1. A unit whose z is strong has nearly the same state as in the row before.",
    },
  },
  zh: {
    about:
      "用英文词写一个不超过 9,999 的数。网络逐词读入；下方是部分单元在每个词之后的门与状态，以及它用法文写出的结果。",
    start: `开始（最多载入 ${MEGABYTES} MB）`,
    loading: "正在载入 ONNX Runtime 与网络……",
    noWasm: "此演示需要 WebAssembly，而当前浏览器不支持。",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    phrase: "用英文词写的数",
    examples: "示例：",
    empty: "请写一个数。",
    unknown: (word) => `“${word}”不是 9,999 以内的数所用的词。`,
    long: `最多读入 ${STEPS - 1} 个词。`,
    writes: "网络写出：",
    end: "结尾",
    sure: (share) => `${(100 * share).toFixed(share > 0.9995 ? 0 : 1)} %`,
    choose: "显示各单元的：",
    names: { z: "更新门 z", r: "重置门 r", h: "状态 h" },
    map: (name, words) => `前 ${UNITS} 个单元的${name}，依次在这些词之后：${words}`,
    caption: {
      z: "浓：z 近于 1，单元保留状态；淡：z 近于 0，状态被更换。",
      r: "浓：r 近于 1，候选状态看得见旧状态；淡：r 近于 0，只看新词。",
      h: "浓为 1，淡为 −1。z 为浓色的单元，其状态与上一行几乎相同。",
    },
  },
};

/** The words' indices with the mark of the end, or what is wrong with them. */
function read(typed, text) {
  const words = typed.toLowerCase().replace(/-/g, " ").split(/\s+/).filter((word) => word && word !== "and");
  if (!words.length) return { fault: text.empty };
  if (words.length >= STEPS) return { fault: text.long };
  const odd = words.find((word) => ENGLISH.indexOf(word) < 1);
  return odd ? { fault: text.unknown(odd) } : { words, ids: [...words.map((word) => ENGLISH.indexOf(word)), ENGLISH.length] };
}

/** [word, probability] of what was written, up to the mark of the end. */
function written(values) {
  const width = FRENCH.length + 1, found = [];
  for (let row = 0; row < values.length / width; row++) {
    const shares = [...values.slice(row * width, (row + 1) * width)];
    const best = shares.indexOf(Math.max(...shares));
    found.push([best, shares[best]]);
    if (best === FRENCH.length) break;
  }
  return found;
}

function build(element, text, status, run) {
  const field = make("input", { type: "text", value: EXAMPLES[0], autocomplete: "off", spellcheck: "false" });
  const examples = EXAMPLES.map((example) => make("button", { type: "button" }, example));
  const said = make("p", { class: "gates-said", "aria-live": "polite" });
  const kinds = Object.entries(text.names).map(([kind, name]) => {
    const button = make("button", { type: "button", "aria-pressed": kind === "z" }, name);
    button.dataset.kind = kind;
    return button;
  });
  const map = make("div", { class: "gates-map", role: "img", tabindex: "0" });
  const caption = make("p", { class: "gates-caption" });
  element.append(
    make("label", {}, make("span", {}, text.phrase), field),
    make("p", {}, text.examples, ...examples), status, said,
    make("p", { role: "group", "aria-label": text.choose }, text.choose, ...kinds), map, caption);
  let shown = null, kind = "z", asked = 0;

  function draw() {
    const { words, outputs } = shown, values = outputs[kind].data, width = values.length / STEPS;
    map.replaceChildren(...[...words, text.end].flatMap((word, t) => [
      make("span", {}, word),
      make("span", { class: "gates-row" }, ...Array.from({ length: UNITS }, (_, unit) => {
        const value = values[t * width + unit];
        return make("i", { style: `opacity:${(kind === "h" ? (value + 1) / 2 : value).toFixed(3)}` });
      })),
    ]));
    map.setAttribute("aria-label", text.map(text.names[kind], [...words, text.end].join(", ")));
    caption.textContent = text.caption[kind];
  }

  async function update() {
    const number = ++asked, { fault, words, ids } = read(field.value, text);
    status.textContent = fault ?? "";
    if (fault) return;
    const input = Float32Array.from({ length: STEPS }, (_, t) => ids[t] ?? -1);
    const outputs = await run(input, [1, STEPS]);
    if (number !== asked) return; // something newer is asked already
    shown = { words, outputs };
    said.replaceChildren(text.writes, ...written(outputs.written.data).map(([word, share]) =>
      make("span", { title: text.sure(share) }, make("b", {}, FRENCH[word] ?? text.end), ` ${text.sure(share)} `)));
    draw();
    element.settled = field.value;
  }

  const change = () => update().catch((error) => (status.textContent = text.failed(error)));
  field.addEventListener("input", change);
  examples.forEach((button) => button.addEventListener("click", () => {
    field.value = button.textContent;
    change();
  }));
  kinds.forEach((button) => button.addEventListener("click", () => {
    kind = button.dataset.kind;
    kinds.forEach((other) => other.setAttribute("aria-pressed", other === button));
    if (shown) draw();
  }));
  field.focus({ preventScroll: true });
  change();
}

offerNetwork("gates", TEXTS, build);
