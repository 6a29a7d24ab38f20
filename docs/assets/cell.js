// A sequence of symbols passes through a net of memory cells (Hochreiter and Schmidhuber 1997, Task 6a), in the
// reader's browser, with the weights of a recorded run.
//
//   <div class="demo" data-demo="cell" data-model="6a.safetensors"></div>
//
// For those who want to look closer the element then has `trace`: for each symbol the gates, states and outputs.

import { make, number, offer } from "./demos.js";
import { chart, logistic, net, readings } from "./lanes.js";

const SYMBOLS = "abcdEBXY";
const CLASSES = "QRSU";
const MOST = 150; // symbols that the drawing has room for

const TEXTS = {
  en: {
    about:
      "A sequence starts with E and ends with B; of the symbols between, two are X or Y and all others noise. At the end " +
      "the net has to say in which order they came: X, X is class Q; X, Y is R; Y, X is S; Y, Y is U. Follow what the " +
      "gates let in and what the states keep, and try what the net was never shown.",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    sequence: "Sequence", fresh: "Draw another", swap: "X for Y", step: "Step",
    unknown: (symbol, place) => `“${symbol}” at ${place} is not one of ${[...SYMBOLS].join(", ")}.`,
    many: `At most ${MOST} symbols.`, none: "The sequence is empty.",
    lanes: (block) => [`Block ${block}: gates`, `Block ${block}: states`], outputs: "Outputs",
    names: { in: "input gate", out: "output gate", s: (cell) => `state of cell ${cell}` },
    at: (t, n, symbol) => `Step ${t} of ${n}, ${symbol}`,
    columns: ["Block", "Input gate", "Output gate", "States", "Cells’ outputs"], read: "Outputs at this step: ",
    says: (name, value) => `After the last symbol the most active output is ${name}, with ${value}.`,
    rule: (order, name) => ` By the rules ${[...order].join(", ")} is ${name}.`,
    picture: "Gates, states and outputs at each step of the sequence",
  },
  zh: {
    about:
      "序列以 E 开头，以 B 结尾；中间的符号有两个是 X 或 Y，其余都是噪声。到末尾，网络要说出它们的次序：X、X 为 Q 类，X、Y 为 R，Y、X 为 S，" +
      "Y、Y 为 U。看看门放进了什么，状态又保住了什么，也可以试试网络从未见过的序列。",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    sequence: "序列", fresh: "另抽一个", swap: "X、Y 互换", step: "时间步",
    unknown: (symbol, place) => `第 ${place} 个符号“${symbol}”不在 ${[...SYMBOLS].join("、")} 之内。`,
    many: `至多 ${MOST} 个符号。`, none: "序列是空的。",
    lanes: (block) => [`块 ${block}：门`, `块 ${block}：状态`], outputs: "输出",
    names: { in: "输入门", out: "输出门", s: (cell) => `单元 ${cell} 的状态` },
    at: (t, n, symbol) => `第 ${t} 步，共 ${n} 步，${symbol}`,
    columns: ["块", "输入门", "输出门", "状态", "单元的输出"], read: "这一步的输出：",
    says: (name, value) => `最后一个符号之后，最活跃的输出是 ${name}，为 ${value}。`,
    rule: (order, name) => `按规则，${[...order].join("、")} 为 ${name}。`,
    picture: "序列每一步的门、状态与输出",
  },
};

/** The memory cell blocks, as literatim.papers.lstm.model has them: Eqs. 3 to 9. */
export class Net {
  constructor(tensors) {
    const layer = (name) => ({ ...tensors[`${name}.weight`], bias: tensors[`${name}.bias`].data });
    [this.cells, this.gatesIn, this.gatesOut, this.output] = ["cells", "input_gates", "output_gates", "output"].map(layer);
    this.blocks = this.gatesIn.shape[0];
    this.size = this.cells.shape[0] / this.blocks;
  }

  /** Of each symbol, by its place among the inputs: { in, out, s, y, outputs }. */
  run(symbols) {
    const count = this.blocks * this.size;
    let s = Array(count).fill(0), fed = Array(count + 2 * this.blocks).fill(0);
    return symbols.map((symbol) => {
      const sources = [...Array.from(SYMBOLS, (_, k) => Number(k === symbol)), ...fed];
      const opened = net(this.gatesIn, sources).map(logistic), read = net(this.gatesOut, sources).map(logistic);
      const block = (c) => Math.floor(c / this.size);
      s = net(this.cells, sources).map((x, c) => s[c] + opened[block(c)] * (4 * logistic(x) - 2));
      const y = s.map((value, c) => read[block(c)] * (2 * logistic(value) - 1));
      fed = [...y, ...opened, ...read];
      return { in: opened, out: read, s, y, outputs: net(this.output, y).map(logistic) };
    });
  }
}

/** A sequence as the task has it: 100 to 110 symbols, X or Y among the places 10 to 20 and 50 to 60. */
function draw() {
  const below = (n) => Math.floor(Math.random() * n);
  const symbols = Array.from({ length: 100 + below(11) }, () => "abcd"[below(4)]);
  for (const first of [9, 49]) symbols[first + below(11)] = "XY"[below(2)];
  return `E${symbols.slice(1, -1).join("")}B`;
}

/** What is drawn. */
function lanes(text, trace) {
  const found = trace[0].in.flatMap((_, b) => {
    const [gates, states] = text.lanes(b + 1);
    const size = trace[0].s.length / trace[0].in.length;
    const cells = Array.from({ length: size }, (_, v) => [text.names.s(v + 1), trace.map(({ s }) => s[b * size + v])]);
    const most = Math.max(1, ...cells.flatMap(([, values]) => values.map(Math.abs)));
    return [
      { title: gates, lines: [[text.names.in, trace.map((at) => at.in[b])], [text.names.out, trace.map((at) => at.out[b])]], least: 0, most: 1 },
      { title: states, lines: cells, least: -most, most },
    ];
  });
  const outputs = [...CLASSES].map((name, k) => [name, trace.map(({ outputs }) => outputs[k])]);
  return [...found, { title: text.outputs, lines: outputs, least: 0, most: 1 }];
}

function shown(text, now) {
  const size = now.s.length / now.in.length;
  const rows = now.in.map((opened, b) => {
    const of = (values) => values.slice(b * size, (b + 1) * size).map(number).join(" · ");
    return [`${b + 1}`, number(opened), number(now.out[b]), of(now.s), of(now.y)];
  });
  const outputs = [...CLASSES].map((name, k) => `${name} ${number(now.outputs[k])}`).join(" · ");
  return [readings(text.columns, rows), make("p", {}, text.read + outputs)];
}

function build(element, text, cells) {
  const field = make("input", { type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "none", value: draw() });
  const fresh = make("button", { type: "button" }, text.fresh), swap = make("button", { type: "button" }, text.swap);
  const slider = make("input", { type: "range", min: 1 });
  const where = make("output"), status = make("p", { role: "status" });
  const drawing = make("div", { class: "cell-drawing", role: "group", tabindex: 0, "aria-label": text.picture });
  const numbers = make("div", { class: "cell-numbers" });
  let move = () => {};
  element.append(
    make("label", {}, make("span", {}, text.sequence), field), make("p", { class: "cell-buttons" }, fresh, swap), status,
    make("label", {}, make("span", {}, text.step), slider, where), drawing, numbers);

  function look() {
    const t = Number(slider.value), now = element.trace[t - 1];
    where.textContent = text.at(t, element.trace.length, field.value.trim()[t - 1]);
    slider.setAttribute("aria-valuetext", where.textContent);
    move(t);
    numbers.replaceChildren(...shown(text, now));
  }
  const choose = (t) => {
    slider.value = t;
    look();
  };
  function pass() {
    const symbols = field.value.trim(), wrong = [...symbols].findIndex((symbol) => !SYMBOLS.includes(symbol));
    const fault = !symbols ? text.none : wrong >= 0 ? text.unknown([...symbols][wrong], wrong + 1) : symbols.length > MOST ? text.many : "";
    field.setAttribute("aria-invalid", Boolean(fault));
    if (fault) return void (status.textContent = fault);
    element.trace = cells.run([...symbols].map((symbol) => SYMBOLS.indexOf(symbol)));
    const { outputs } = element.trace.at(-1), winner = outputs.indexOf(Math.max(...outputs));
    const order = symbols.replace(/[^XY]/g, ""), rule = ["XX", "XY", "YX", "YY"].indexOf(order);
    status.textContent =
      text.says(CLASSES[winner], number(outputs[winner])) + (rule < 0 ? "" : text.rule(order, CLASSES[rule]));
    const made = chart(text.picture, lanes(text, element.trace), symbols, { loud: (symbol) => !"abcd".includes(symbol), choose });
    move = made.move;
    drawing.replaceChildren(made.picture);
    slider.max = symbols.length;
    choose(symbols.length);
  }
  field.addEventListener("input", pass);
  slider.addEventListener("input", look);
  fresh.addEventListener("click", () => {
    field.value = draw();
    pass();
  });
  swap.addEventListener("click", () => {
    field.value = field.value.replace(/[XY]/g, (symbol) => (symbol === "X" ? "Y" : "X"));
    pass();
  });
  pass();
}

offer("cell", TEXTS, (element, text, tensors) => build(element, text, new Net(tensors)));
