// The symmetry net learns before the reader's eyes.
//
//   <div class="demo" data-demo="symmetry" data-model="paper.safetensors"></div>
//
// It starts where trials of the recorded run started (symmetry.json) and learns here, sweep by sweep.

import { at } from "./onnx.js";
import { SYMMETRICAL, SymmetryNet, VECTORS } from "./symmetry-net.js";

const MOST = 10000; // sweeps, as in the recorded run
const TALL = 44, WIDE = 15; // of a bar in SVG units

const TEXTS = {
  en: {
    start: "Learn", pause: "Pause", one: "One sweep", back: "Back to the start",
    trial: "Start of trial", speed: "Sweeps at a time", net: "Weights of the net, as bars",
    units: ["Hidden unit 1", "Hidden unit 2", "Output unit"], bias: "bias",
    outputs: "The output for each of the 64 vectors; those of the 8 symmetrical ones should be on",
    at: (n, e, right) => `${n.toLocaleString("en")} sweeps, error ${e.toFixed(3)}, ${right} of 64 vectors right`,
    learned: (n) => `Learned after ${n.toLocaleString("en")} sweeps.`,
    recorded: (n) => (n < 0 ? " The recorded run: not within 10,000 sweeps." : ` The recorded run: ${n.toLocaleString("en")}.`),
    stuck: "Not learned within 10,000 sweeps: the output is off for every vector, and hardly any derivative is left.",
    failed: (error) => `The demo does not work here: ${error.message}`,
  },
  zh: {
    start: "学习", pause: "暂停", one: "一遍", back: "回到起点",
    trial: "试验的初值", speed: "每次遍数", net: "网络的权重（条形）",
    units: ["隐藏单元 1", "隐藏单元 2", "输出单元"], bias: "偏置",
    outputs: "64 个向量各自的输出；其中 8 个对称向量应当开启",
    at: (n, e, right) => `${n.toLocaleString("en")} 遍，误差 ${e.toFixed(3)}，64 个向量中答对 ${right} 个`,
    learned: (n) => `经 ${n.toLocaleString("en")} 遍学会。`,
    recorded: (n) => (n < 0 ? "运行记录：10,000 遍之内未学会。" : `运行记录：${n.toLocaleString("en")} 遍。`),
    stuck: "10,000 遍之内未学会：输出对每个向量都关闭，几乎没有导数可用。",
    failed: (error) => `演示无法在此运行：${error.message}`,
  },
};

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "rect", "text", "line", "g"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Bars of a unit's weights, its bias apart from them; returns [element, (weights) => …]. */
function bars(name, count, bias) {
  const columns = Array.from({ length: count + 1 }, (_, k) => (k === count ? 6.6 : k) * WIDE + 2);
  const rects = columns.map((x) => make("rect", { x, width: WIDE - 3 }));
  const figure = make("svg", { viewBox: `0 0 ${8 * WIDE} ${2 * TALL + 12}`, role: "img" },
    make("line", { x1: 0, x2: 8 * WIDE, y1: TALL, y2: TALL, class: "symmetry-axis" }), ...rects,
    make("text", { x: columns[count] + WIDE / 2, y: 2 * TALL + 9, "text-anchor": "middle" }, bias));
  const show = (weights, size) => {
    rects.forEach((rect, k) => {
      const length = (Math.abs(weights[k]) / size) * TALL;
      rect.setAttribute("y", weights[k] > 0 ? TALL - length : TALL);
      rect.setAttribute("height", length);
      rect.setAttribute("class", weights[k] > 0 ? "symmetry-more" : "symmetry-less");
    });
    figure.setAttribute("aria-label", `${name}: ${weights.map((w) => w.toFixed(1)).join(", ")}`);
  };
  return [make("div", {}, make("p", { class: "symmetry-name" }, name), figure), show];
}

function build(element, text, starts) {
  const choice = make("select", {}, ...starts.trials.map(({ trial }) => make("option", { value: trial }, `${trial}`)));
  const speed = make("input", { type: "range", min: 0, max: 3, step: 1, value: 1 });
  const [go, one, back] = [text.start, text.one, text.back].map((said) => make("button", { type: "button" }, said));
  const said = make("p", { class: "symmetry-said" });
  const status = make("p", { class: "symmetry-status", role: "status" });
  const parts = text.units.map((name, k) => bars(name, k < 2 ? 6 : 2, text.bias));
  const dots = VECTORS.map((x, c) => make("span", { class: SYMMETRICAL[c] ? "symmetry-yes" : "", title: x.join("") }));
  let net, timer;

  const start = () => starts.trials.find(({ trial }) => `${trial}` === choice.value);
  function show() {
    const w = [...net.weights];
    const size = Math.max(1, ...w.map(Math.abs));
    parts[0][1]([...w.slice(0, 6), w[12]], size);
    parts[1][1]([...w.slice(6, 12), w[13]], size);
    parts[2][1](w.slice(14), size);
    const right = net.outputs.filter((y, c) => Math.abs(y - SYMMETRICAL[c]) < net.within).length;
    dots.forEach((dot, c) => dot.style.setProperty("--on", net.outputs[c]));
    said.textContent = text.at(net.sweeps, net.error, right);
    element.dataset.sweeps = net.sweeps;
    const over = net.learned || net.sweeps >= MOST;
    go.disabled = one.disabled = over;
    if (over) pause();
    status.textContent = over ? (net.learned ? text.learned(net.sweeps) : text.stuck) + text.recorded(start().sweeps) : "";
  }
  function pause() {
    cancelAnimationFrame(timer);
    timer = undefined;
    go.textContent = text.start;
  }
  function sweep(times) {
    for (let k = 0; k < times && net.sweeps < MOST && net.sweep(); k++);
    show();
  }
  function frame() {
    timer = requestAnimationFrame(frame);
    sweep(10 ** speed.value);
  }
  function reset() {
    pause();
    net = new SymmetryNet(start().weights);
    show();
  }
  go.addEventListener("click", () => {
    if (timer) return pause();
    go.textContent = text.pause;
    frame();
  });
  one.addEventListener("click", () => sweep(1));
  back.addEventListener("click", reset);
  choice.addEventListener("change", reset);
  const label = (name, field) => make("label", {}, `${name} `, field);
  element.replaceChildren(
    make("div", { class: "symmetry-controls" }, go, one, back, label(text.trial, choice), label(text.speed, speed)),
    said, make("div", { class: "symmetry-units", role: "group", "aria-label": text.net }, ...parts.map(([part]) => part)),
    make("p", { class: "symmetry-name" }, text.outputs), make("div", { class: "symmetry-dots", "aria-hidden": "true" }, ...dots), status);
  choice.value = starts.first;
  reset();
}

async function offer(element) {
  const text = TEXTS[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  try {
    const answer = await fetch(at("symmetry.json"));
    if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
    build(element, text, await answer.json());
  } catch (error) {
    element.textContent = text.failed(error);
  }
}

const demos = document.querySelectorAll(".demo[data-demo=symmetry]");
if (demos.length) document.head.append(make("link", { rel: "stylesheet", href: at("symmetry.css") }));
demos.forEach(offer);
