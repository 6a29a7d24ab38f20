// Draw a digit: LeNet-5 in the reader's browser, with what its layers make of the drawing.
//
//   <div class="demo" data-demo="draw" data-model="lenet.onnx"></div>
//
// Runtime and model are loaded only when the reader asks for it. For those who want to look closer the element then has
// `lastInput`, the 32x32 pixels of the last run, and `lastOutputs`, everything that came out of it, by name.

import { make, offerNetwork } from "./demos.js";
import { clamp, INK, PAPER, pixels, SIZE } from "./digit.js";
import { at } from "./onnx.js";

const MEGABYTES = 14.6; // of runtime and model, as a test weighs them; less travels where the server compresses
const EXAMPLES = ["2", "5", "7"];
const FULL = 1.7159; // no unit passes on more (Sec. II-B), so the colours end here
const SHAPE = [1, 1, SIZE, SIZE];
const MAPS = ["c1", "s2", "c3", "s4", "c5", "f6", "code"];
const C5_ROW = 15; // its 120 maps of one pixel are shown as one picture

const TEXTS = {
  en: {
    about:
      "Draw with a mouse, a finger or a pen; or press one of three buttons, each of which draws an example. Start " +
      "loads ONNX Runtime and the network, which then runs in your browser: your drawing does not leave it.",
    start: `Start (loads up to ${MEGABYTES} MB)`,
    loading: "Loading ONNX Runtime and the network …",
    noWasm: "This demo needs WebAssembly, which this browser does not offer.",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    pad: "Drawing pad for one digit; the buttons below it draw examples",
    clear: "Clear",
    examples: "Examples:",
    example: (digit) => `${digit}: draw this example`,
    prompt: "Draw a digit, or press an example.",
    drawing: "Drawing …",
    reads: (digit, p) => `${digit === 8 ? "An" : "A"} ${digit}, with probability ${p}.`,
    table: "The ten outputs: the smallest distance wins",
    columns: ["Digit", "Squared distance", "Probability"],
    input: (h, w) => `Input: ${h}×${w}`,
    maps: (name, n, h, w) => `${name}: ${n} maps of ${h}×${w}`,
    f6: (n, h, w) => `F6: ${n} units as ${h} rows of ${w}, beside the code of the winning digit`,
    caption:
      "The drawing is scaled to fit a box of 20×20 pixels, moved until its centre of mass is in the middle, and set " +
      "in a field of 32×32, with paper at −0.1 and ink at 1.175. The maps, in the order of Fig. 2, show what the " +
      "units pass on, that is, after the squashing function: orange below zero, blue above. The ten outputs are the " +
      "squared distances of F6 to the codes of the ten digits; the probability of a digit is exp(−distance), divided " +
      "by the sum of this over all ten.",
  },
  zh: {
    about:
      "可用鼠标、手指或触控笔书写；也可按三个按钮之一，由它写出一个示例。按“开始”载入 ONNX Runtime 与网络；" +
      "网络在浏览器中运行，所写的内容不会离开浏览器。",
    start: `开始（最多载入 ${MEGABYTES} MB）`,
    loading: "正在载入 ONNX Runtime 与网络……",
    noWasm: "此演示需要 WebAssembly，而当前浏览器不支持。",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    pad: "手写板，写一个数字；下方的按钮可写出示例",
    clear: "清除",
    examples: "示例：",
    example: (digit) => `${digit}：写出这个示例`,
    prompt: "请写一个数字，或按一个示例。",
    drawing: "正在书写……",
    reads: (digit, p) => `读作 ${digit}，概率 ${p}。`,
    table: "十个输出：距离最小者胜出",
    columns: ["数字", "平方距离", "概率"],
    input: (h, w) => `输入：${h}×${w}`,
    maps: (name, n, h, w) => `${name}：${n} 个 ${h}×${w} 的特征图`,
    f6: (n, h, w) => `F6：${n} 个单元排成 ${h} 行 ${w} 列，旁边是胜出数字的编码`,
    caption:
      "所写的数字先缩放到 20×20 像素的框内，再平移使质心居中，放入 32×32 的区域，纸为 −0.1，墨为 1.175。" +
      "特征图按图 2 的顺序排列，显示各单元传给下一层的值，即经过压缩函数之后的值：小于零为橙色，大于零为蓝色。" +
      "十个输出是 F6 到十个数字编码的平方距离；一个数字的概率等于它的 exp(−距离) 除以全部十个数字的这个值之和。",
  },
};

const frame = () => new Promise(requestAnimationFrame);
const percent = (share) => `${(100 * share).toFixed(1)} %`;

// ---- What is shown

const between = (from, to, share) => from.slice(0, 3).map((c, i) => c + (to[i] - c) * clamp(share, 0, 1));

/** The page's colours as they are now, each as [r, g, b]. */
function scheme(element) {
  const probe = element.appendChild(make("span"));
  const [zero, ...others] = ["--md-default-bg-color", "--md-default-fg-color", "--chart-1", "--chart-2"].map((name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  });
  probe.remove();
  const [ink, positive, negative] = others.map(([r, g, b, opacity = 1]) => between(zero, [r, g, b], opacity));
  return { zero, ink, positive, negative };
}

function trace(pad, strokes, colour) {
  const context = pad.getContext("2d");
  context.clearRect(0, 0, pad.width, pad.height);
  Object.assign(context, { lineWidth: pad.width / 13, lineCap: "round", lineJoin: "round" });
  context.strokeStyle = `rgb(${colour})`;
  for (const stroke of strokes) {
    context.beginPath();
    for (const [x, y] of [stroke[0], ...stroke]) context.lineTo(x * pad.width, y * pad.height);
    context.stroke();
  }
}

function paint(canvas, values, colour) {
  const image = new ImageData(canvas.width, canvas.height);
  values.forEach((value, i) => image.data.set([...colour(value), 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The table of the ten outputs, and what fills it in; no winner means a blank pad. */
function outputsTable(text, classes) {
  const cell = () => make("td", {}, make("span"), make("span", { class: "draw-bar" }));
  const rows = Array.from({ length: classes }, (_, digit) =>
    make("tr", {}, make("th", { scope: "row" }, `${digit}`), cell(), cell()));
  const head = make("tr", {}, ...text.columns.map((name) => make("th", { scope: "col" }, name)));
  const table = make("table", { class: "draw-outputs" },
    make("caption", {}, text.table), make("thead", {}, head), make("tbody", {}, ...rows));
  const fill = ({ children: [number, bar] }, words, share) => {
    number.textContent = words;
    bar.style.setProperty("--share", share);
  };
  const show = ({ probabilities: p, output: y }, winner) => rows.forEach((row, digit) => {
    const blank = winner === null;
    row.classList.toggle("draw-winner", digit === winner);
    fill(row.cells[1], blank ? "–" : y[digit].toFixed(1), blank ? 0 : y[digit] / Math.max(...y));
    fill(row.cells[2], blank ? "–" : percent(p[digit]), blank ? 0 : p[digit]);
  });
  return [table, show];
}

/** A figure for the input and each layer, a canvas for every map, as large as the tensors say; and what paints them. */
function layerFigures(text, tensors) {
  const code = tensors.code.dims.slice(1);
  const single = { c5: [1, tensors.c5.dims[1] / C5_ROW, C5_ROW], f6: [1, ...code], code: [1, ...code] };
  const canvases = { input: [make("canvas", { height: SIZE, width: SIZE })] };
  const captions = { input: text.input(SIZE, SIZE) };
  for (const name of MAPS) {
    const [, maps, ...size] = tensors[name].dims;
    const [n, height, width] = single[name] ?? [maps, ...size];
    canvases[name] = Array.from({ length: n }, () => make("canvas", { height, width }));
    captions[name] = name === "f6" ? text.f6(maps, ...code) : text.maps(name.toUpperCase(), maps, ...size);
  }
  const figures = ["input", "c1", "s2", "c3", "s4", "c5", "f6"].map((name) => {
    const shown = name === "f6" ? [...canvases.f6, ...canvases.code] : canvases[name];
    return make("figure", { class: `draw-${name}` }, make("figcaption", {}, captions[name]),
      make("div", { "aria-hidden": "true" }, ...shown));
  });
  const show = (input, outputs, winner, { zero, ink, positive, negative }) => {
    paint(canvases.input[0], input, (value) => between(zero, ink, (value - PAPER) / (INK - PAPER)));
    for (const name of MAPS) {
      canvases[name].forEach((canvas, map) => {
        const size = canvas.width * canvas.height;
        const values = outputs[name].subarray(map * size, (map + 1) * size);
        paint(canvas, name === "code" && winner === null ? values.map(() => 0) : values, (value) =>
          between(zero, value < 0 ? negative : positive, Math.abs(value) / FULL));
      });
    }
  };
  return [figures, show];
}

// ---- The demo

function build(element, text, status, run, blank) {
  let strokes = []; // a new list for every drawing
  let stroke = null, drawing = false, example = false, wanted = false, busy = false, colours = scheme(element);

  const pad = make("canvas", { class: "draw-pad", width: 560, height: 560, role: "img", "aria-label": text.pad });
  const clear = make("button", { type: "button" }, text.clear);
  const examples = EXAMPLES.map((digit) =>
    make("button", { type: "button", "aria-label": text.example(digit) }, digit));
  const [table, showOutputs] = outputsTable(text, blank.output.data.length);
  const [figures, showLayers] = layerFigures(text, blank);
  const buttons = make("div", { class: "draw-buttons" }, clear, make("span", {}, text.examples), ...examples);
  element.append(
    make("div", { class: "draw-work" }, make("div", {}, pad, buttons, status), table),
    make("div", { class: "draw-layers" }, ...figures),
    make("p", { class: "draw-legend" }, `−${FULL.toFixed(1)}`, make("span"), `+${FULL.toFixed(1)}`),
    make("p", { class: "draw-caption" }, text.caption));

  async function update() {
    wanted = true;
    if (busy) return;
    for (busy = true; wanted; ) {
      await frame(); // however fast the pointer, one run a frame
      wanted = false;
      trace(pad, strokes, colours.ink);
      const [input, empty] = [pixels(strokes), strokes.length === 0];
      const tensors = Object.entries(await run(input, SHAPE));
      const outputs = Object.fromEntries(tensors.map(([name, tensor]) => [name, tensor.data]));
      const winner = empty ? null : outputs.output.indexOf(Math.min(...outputs.output));
      showOutputs(outputs, winner);
      showLayers(input, outputs, winner, colours);
      Object.assign(element, { lastInput: input, lastOutputs: outputs });
      const reading = empty ? text.prompt : text.reads(winner, percent(outputs.probabilities[winner]));
      const sentence = drawing || wanted ? text.drawing : reading; // so that it is read aloud once, not at every frame
      if (status.textContent !== sentence) status.textContent = sentence;
    }
    busy = false;
  }

  function restart(isExample) {
    [strokes, stroke, drawing, example] = [[], null, isExample, isExample];
    update();
    return strokes;
  }

  async function replay(digit) {
    const mine = restart(true);
    const given = await (await fetch(at(`strokes/${digit}.json`))).json();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const [n, points] of given.entries()) {
      for (const [k, point] of points.entries()) {
        if (strokes !== mine) return; // another drawing has begun
        (mine[n] ??= []).push(point);
        if (still || k % 2) continue;
        update();
        await frame();
      }
    }
    if (strokes === mine) drawing = false;
    update();
  }

  function place(event) {
    const { left, top, width, height } = pad.getBoundingClientRect();
    return [clamp((event.clientX - left) / width, 0, 1), clamp((event.clientY - top) / height, 0, 1)];
  }
  pad.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    if (example) restart(false);
    pad.setPointerCapture(event.pointerId);
    drawing = true;
    strokes.push((stroke = [place(event)]));
    update();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!stroke || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const point of (events.length ? events : [event]).map(place)) {
      const last = stroke.at(-1);
      if (Math.hypot(point[0] - last[0], point[1] - last[1]) > 0.004) stroke.push(point);
    }
    update();
  });
  pad.addEventListener("lostpointercapture", () => {
    if (stroke) [stroke, drawing] = [null, false];
    update();
  });
  clear.addEventListener("click", () => restart(false));
  const failed = (error) => (status.textContent = text.failed(error));
  examples.forEach((button, k) => button.addEventListener("click", () => replay(EXAMPLES[k]).catch(failed)));
  new MutationObserver(() => {
    colours = scheme(element);
    update();
  }).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
  examples[0].focus({ preventScroll: true });
  update();
}

offerNetwork("draw", TEXTS, async (element, text, status, run) =>
  build(element, text, status, run, await run(pixels([]), SHAPE)));
