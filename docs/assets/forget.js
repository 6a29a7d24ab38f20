// A stream without end passes through two nets (Gers, Schmidhuber and Cummins 2000, Sec. 4), one whose cells can forget
// and one whose cells cannot, in the reader's browser, with the weights of recorded runs.
//
//   <div class="demo" data-demo="forget" data-model="forget.safetensors reset.safetensors"></div>
//
// For those who want to look closer the element then has `trace`: { forget, standard }, for each symbol the gates,
// states and outputs of the two.

import { make, number, offer } from "./demos.js";
import { chart, logistic, net, readings } from "./lanes.js";

const SYMBOLS = "BTPSXVE";
const REBER = [{ B: 1 }, { T: 2, P: 3 }, { S: 2, X: 4 }, { T: 3, V: 5 }, { X: 3, S: 6 }, { P: 4, V: 6 }, { E: 7 }];
const MOST = 150; // symbols that the drawing has room for
const LENGTH = 90; // symbols that are drawn at least
const FURTHER = 1000; // symbols that follow unseen
const ALLOWED = 0.49; // of a squared error

const TEXTS = {
  en: {
    about:
      "Strings of the embedded Reber grammar follow one another without a mark between them; thin lines show where one " +
      "begins. After each symbol a net says which may come next. Above, a net with forget gates. Below, one of 1997 that " +
      "learned with its states set to zero before every string. Here nobody does that, unless you tick the box: watch its states.",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    stream: "Stream", fresh: "Draw another", reset: "Set the lower net’s states to zero before every string", step: "Step",
    wrong: (symbol, place, may) => `${symbol} cannot stand at ${place}: ${may.join(" or ")} is expected.`,
    many: `At most ${MOST} symbols.`, none: "The stream is empty.",
    lanes: ["With forget gates: states", "With forget gates: forget gates", "With forget gates: input gates", "Without: states", "Without: input gates"],
    block: (b) => `block ${b}`, at: (t, n, symbol) => `Step ${t} of ${n}, ${symbol}`,
    nets: ["With forget gates", "Without"],
    columns: ["Block", "Forget gate", "Input gate", "Output gate", "States", "Cells’ outputs"],
    may: (symbol, may) => `After this ${symbol} may come ${may.join(" or ")}.`,
    says: (outputs, right) => `Outputs: ${outputs}, ${right ? "right" : "wrong"}.`,
    sum: (n, found) => `Of ${n} predictions ${found[0].right} are right with forget gates and ${found[1].right} without; the largest states are ${number(found[0].most)} and ${number(found[1].most)}.`,
    further: (found) => ` After ${FURTHER.toLocaleString("en")} symbols more, drawn at random, they are ${number(found[0].most)} and ${number(found[1].most)}.`,
    picture: "States and gates of both nets at each step of the stream; wrong predictions are marked below the states",
  },
  zh: {
    about:
      "嵌入式 Reber 文法的字符串一个接一个，中间没有标记；细线处为每个字符串的开头。每读入一个符号，网络说出接下来可能是哪些符号。" +
      "上方的网络有遗忘门；下方是 1997 年的网络，学习时每个字符串之前都把状态清零。这里无人替它清零，除非勾选下面的方框：请看它的状态如何变化。",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    stream: "流", fresh: "另抽一段", reset: "每个字符串之前把下方网络的状态清零", step: "时间步",
    wrong: (symbol, place, may) => `第 ${place} 个符号不能是 ${symbol}，应为 ${may.join(" 或 ")}。`,
    many: `至多 ${MOST} 个符号。`, none: "流是空的。",
    lanes: ["有遗忘门：状态", "有遗忘门：遗忘门", "有遗忘门：输入门", "无遗忘门：状态", "无遗忘门：输入门"],
    block: (b) => `块 ${b}`, at: (t, n, symbol) => `第 ${t} 步，共 ${n} 步，${symbol}`,
    nets: ["有遗忘门", "无遗忘门"],
    columns: ["块", "遗忘门", "输入门", "输出门", "状态", "单元的输出"],
    may: (symbol, may) => `这个 ${symbol} 之后可能是 ${may.join(" 或 ")}。`,
    says: (outputs, right) => `输出：${outputs}，预测${right ? "正确" : "错误"}。`,
    sum: (n, found) => `${n} 次预测中，有遗忘门的对 ${found[0].right} 次，无遗忘门的对 ${found[1].right} 次；状态绝对值最大为 ${number(found[0].most)} 与 ${number(found[1].most)}。`,
    further: (found) => `再随机抽取 ${FURTHER.toLocaleString("en")} 个符号之后，最大为 ${number(found[0].most)} 与 ${number(found[1].most)}。`,
    picture: "流的每一步上两个网络的状态与门；预测错误标在状态之下",
  },
};

/** The continual embedded Reber grammar: of every place, by which symbol to which; a stream begins at place 0. */
const GRAMMAR = (() => {
  const size = REBER.length + 1, last = 2 + 2 * size;
  const copy = (first, letter) => [
    ...REBER.map((node) => Object.fromEntries(Object.entries(node).map(([symbol, to]) => [symbol, first + to]))), { [letter]: last },
  ];
  return [{ B: 1 }, { T: 2, P: 2 + size }, ...copy(2, "T"), ...copy(2 + size, "P"), { E: 0 }];
})();

/** A stream from a place on: of each symbol { symbol, begins, may }, what may follow it; and the place it leads to. */
function read(symbols, place = 0) {
  const steps = [];
  for (const [t, symbol] of [...symbols].entries()) {
    if (!(symbol in GRAMMAR[place])) return { fault: [symbol, t + 1, Object.keys(GRAMMAR[place])] };
    const begins = place === 0;
    place = GRAMMAR[place][symbol];
    steps.push({ symbol, begins, may: Object.keys(GRAMMAR[place]) });
  }
  return { steps, place };
}

/** Symbols as the grammar has them, from a place on, until `done` of (how many there are, the place). */
function draw(place, done) {
  let symbols = "";
  while (!done(symbols.length, place)) {
    const may = Object.keys(GRAMMAR[place]), symbol = may[Math.floor(Math.random() * may.length)];
    [symbols, place] = [symbols + symbol, GRAMMAR[place][symbol]];
  }
  return symbols;
}

/** The net as literatim.papers.lstm_forget.model has it. */
export class Net {
  constructor(tensors) {
    const layer = (name) => tensors[`${name}.weight`] && { ...tensors[`${name}.weight`], bias: tensors[`${name}.bias`]?.data };
    [this.cells, this.gatesIn, this.gatesOut, this.gatesForget, this.output] =
      ["cells", "input_gates", "output_gates", "forget_gates", "output"].map(layer);
    this.size = this.cells.shape[0] / this.gatesIn.shape[0];
  }

  /** Of each step of a stream: { forget, in, out, s, y, outputs, right }; without forget gates all is kept. */
  run(steps, resets = false) {
    const zeros = Array(this.cells.shape[0]).fill(0), block = (c) => Math.floor(c / this.size);
    let s = zeros, y = zeros;
    return steps.map(({ symbol, begins, may }) => {
      if (begins && resets) s = y = zeros;
      const x = Array.from(SYMBOLS, (other) => Number(other === symbol)), sources = [...x, ...y];
      const gates = (layer) => net(layer, sources).map(logistic);
      const opened = gates(this.gatesIn), read = gates(this.gatesOut);
      const kept = this.gatesForget ? gates(this.gatesForget) : opened.map(() => 1);
      s = net(this.cells, sources).map((value, c) => kept[block(c)] * s[c] + opened[block(c)] * (4 * logistic(value) - 2));
      y = s.map((value, c) => read[block(c)] * (2 * logistic(value) - 1));
      const outputs = net(this.output, [...y, ...x]).map(logistic);
      return { forget: kept, in: opened, out: read, s, y, outputs, right: isRight(outputs, may) };
    });
  }
}

/** Whether all errors are within what is allowed, and the symbols that may follow are the most active. */
function isRight(outputs, may) {
  const legal = [...SYMBOLS].map((symbol) => may.includes(symbol)), of = (wanted) => outputs.filter((_, k) => legal[k] === wanted);
  return outputs.every((value, k) => (Number(legal[k]) - value) ** 2 < ALLOWED) && Math.min(...of(true)) > Math.max(...of(false));
}

const largest = (trace) => Math.max(1, ...trace.flatMap(({ s }) => s.map(Math.abs)));
const told = (trace) => ({ right: trace.filter(({ right }) => right).length, most: largest(trace) });

function lanes(text, { forget, standard }) {
  const blocks = forget[0].in.map((_, b) => b), size = forget[0].s.length / blocks.length;
  const gates = (title, trace, name) => ({ title, lines: blocks.map((b) => [text.block(b + 1), trace.map((at) => at[name][b])]), least: 0, most: 1 });
  const states = (title, trace) => ({
    title, least: -largest(trace), most: largest(trace), wrong: trace.map((_, t) => t).filter((t) => !trace[t].right),
    lines: forget[0].s.map((_, c) => [c % size ? "" : text.block(c / size + 1), trace.map(({ s }) => s[c]), Math.floor(c / size) + 1]),
  });
  const [one, two, three, four, five] = text.lanes;
  return [
    states(one, forget), gates(two, forget, "forget"), gates(three, forget, "in"), states(four, standard), gates(five, standard, "in"),
  ];
}

function shown(text, now, { symbol, may }) {
  const tables = text.nets.flatMap((name, k) => {
    const at = now[k], size = at.s.length / at.in.length;
    const rows = at.in.map((opened, b) => {
      const of = (values) => values.slice(b * size, (b + 1) * size).map(number).join(" · ");
      return [`${b + 1}`, k ? "–" : number(at.forget[b]), number(opened), number(at.out[b]), of(at.s), of(at.y)];
    });
    const outputs = [...SYMBOLS].map((other, i) => `${other} ${number(at.outputs[i])}`).join(" · ");
    return [readings(text.columns, rows, name), make("p", {}, text.says(outputs, at.right))];
  });
  return [make("p", {}, text.may(symbol, may)), ...tables];
}

function build(element, text, nets) {
  const field = make("input", { type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "characters" });
  const fresh = make("button", { type: "button" }, text.fresh), resets = make("input", { type: "checkbox" });
  const slider = make("input", { type: "range", min: 1 });
  const where = make("output"), status = make("p", { role: "status" });
  const drawing = make("div", { class: "cell-drawing", role: "group", tabindex: 0, "aria-label": text.picture });
  const numbers = make("div", { class: "cell-numbers" });
  let steps = [], move = () => {};
  element.append(
    make("label", {}, make("span", {}, text.stream), field), make("p", { class: "cell-buttons" }, fresh),
    make("label", {}, resets, make("span", {}, text.reset)), status,
    make("label", {}, make("span", {}, text.step), slider, where), drawing, numbers);

  function look() {
    const t = Number(slider.value), { forget, standard } = element.trace;
    where.textContent = text.at(t, steps.length, steps[t - 1].symbol);
    slider.setAttribute("aria-valuetext", where.textContent);
    move(t);
    numbers.replaceChildren(...shown(text, [forget[t - 1], standard[t - 1]], steps[t - 1]));
  }
  const choose = (t) => {
    slider.value = t;
    look();
  };
  const both = (stream) => [nets[0].run(stream), nets[1].run(stream, resets.checked)];
  function pass() {
    const symbols = field.value.trim(), found = read(symbols);
    const fault = !symbols ? text.none : found.fault ? text.wrong(...found.fault) : symbols.length > MOST ? text.many : "";
    field.setAttribute("aria-invalid", Boolean(fault));
    if (fault) return void (status.textContent = fault);
    steps = found.steps;
    const [forget, standard] = both(steps);
    element.trace = { forget, standard };
    const further = read(symbols + draw(found.place, (many) => many === FURTHER)).steps;
    status.textContent = text.sum(steps.length, [forget, standard].map(told)) + text.further(both(further).map(told));
    const made = chart(text.picture, lanes(text, element.trace), symbols, { loud: () => true, choose, begins: (t) => steps[t].begins });
    move = made.move;
    drawing.replaceChildren(made.picture);
    slider.max = symbols.length;
    choose(symbols.length);
  }
  const another = () => {
    field.value = draw(0, (many, place) => many >= LENGTH && place === 0);
    pass();
  };
  field.addEventListener("input", pass);
  slider.addEventListener("input", look);
  resets.addEventListener("change", pass);
  fresh.addEventListener("click", another);
  another();
}

offer("forget", TEXTS, (element, text, ...found) => build(element, text, found.map((tensors) => new Net(tensors))), "cell");
