// Walk in a generator's noise (GAN), or ask it for a digit (conditional GAN), in the reader's browser.
//
//   <div class="demo" data-demo="walk" data-model="gan.onnx"></div>
//   <div class="demo" data-demo="asked" data-model="cgan.onnx"></div>
//
// Runtime and generator are loaded only when the reader asks for it. For those who want to look closer the element then
// has `lastInput`, the generator's input for the large image, `lastImage`, the 784 pixels that came out, and `settled`,
// whether these are of what is chosen now.

import { beginIfAsked, make } from "./demos.js";
import { at, load } from "./onnx.js";

const SIDE = 28;
const NOISE = 100; // numbers between 0 and 1, a point of the noise
const TEN = 10; // images in the row: steps of a walk, or digits
const UNITS = 2400; // hidden units of the conditional generator; dropout keeps each with a chance of one half
const STEPS = 90; // of the slider; every tenth is one of the row
// Of runtime and generator, as a test weighs them; less travels where the server compresses.
const MEGABYTES = { walk: 19.3, asked: 19.2 };

const TEXTS = {
  en: {
    about: {
      walk:
        "A point of the noise has 100 numbers. Two points are drawn at random; the slider takes you from one to the " +
        "other in a straight line, and the generator makes an image of wherever you are.",
      asked:
        "Choose a digit, and the generator writes it from the noise that it is given and with half of its hidden units " +
        "dropped. The noise is a point of 100 numbers; the slider takes you from one in a straight line to another. " +
        "Which units are dropped is drawn apart from it: see which of the two changes the digit.",
    },
    runs: "Start loads ONNX Runtime and the generator, which then runs in your browser.",
    start: (size) => `Start (loads up to ${size} MB)`,
    loading: "Loading ONNX Runtime and the generator …",
    noWasm: "This demo needs WebAssembly, which this browser does not offer.",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    slider: "From one point of the noise to another",
    percent: (share) => `${share} % of the way`,
    fresh: "Other noise",
    drawn: (n) => `Two other points of the noise are drawn (${n}).`,
    drop: "Other dropout",
    dropped: (n) => `Other units are dropped (${n}).`,
    image: (label, share) => `A generated ${label === null ? "image" : label}, ${share} % of the way`,
    row: { walk: "Ten images on the way, at equal distances", asked: "The ten digits from the noise where you are" },
    one: { walk: (share) => `Go to ${share} % of the way`, asked: (digit) => `Digit ${digit}` },
    caption: {
      walk:
        "Fig. 3 of the paper shows such walks. Each number of the noise is uniform between −√3 and √3, and each image " +
        "is what the generator makes of it: nothing is picked out.",
      asked:
        "From digit to digit of the row only the label changes. Each number of the noise is uniform between 0 and 1, " +
        "and each hidden unit is dropped with a chance of one half, as in training (Sec. 4.1): nothing is picked out.",
    },
    half: "The weights are rounded to half precision, as they ship; the computation is in single precision.",
  },
  zh: {
    about: {
      walk:
        "噪声空间中的一点由 100 个数组成。随机取两点，拖动滑块即沿直线从一点移到另一点，生成器把途经的每一点变成图像。",
      asked:
        "选择一个数字，生成器便由给定的噪声写出它，同时有一半隐藏单元被丢弃。噪声由 100 个数组成，可视为空间中的一点；拖动滑块即沿直线移到另一点。丢弃哪些单元另行抽取：请看二者中究竟是哪一个改变了字形。",
    },
    runs: "按“开始”载入 ONNX Runtime 与生成器；生成器在浏览器中运行。",
    start: (size) => `开始（最多载入 ${size} MB）`,
    loading: "正在载入 ONNX Runtime 与生成器……",
    noWasm: "此演示需要 WebAssembly，而当前浏览器不支持。",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    slider: "从噪声空间的一点到另一点",
    percent: (share) => `路程的 ${share} %`,
    fresh: "换一组噪声",
    drawn: (n) => `已另取噪声空间中的两点（第 ${n} 次）。`,
    drop: "换一组 dropout",
    dropped: (n) => `已改为丢弃另一批单元（第 ${n} 次）。`,
    image: (label, share) => `生成的${label === null ? "图像" : `数字 ${label}`}，位于路程的 ${share} %`,
    row: { walk: "沿途等距的十幅图像", asked: "由当前噪声写出的十个数字" },
    one: { walk: (share) => `移到路程的 ${share} %`, asked: (digit) => `数字 ${digit}` },
    caption: {
      walk: "论文的图 3 展示的就是这种插值。噪声的每个数在 −√3 与 √3 之间均匀分布；所示即生成器的输出，未经挑选。",
      asked:
        "同一行的十个数字之间只有标签不同。噪声的每个数在 0 与 1 之间均匀分布，每个隐藏单元以一半的概率被丢弃，与训练时相同（第 4.1 节）；所示即生成器的输出，未经挑选。",
    },
    half: "权重与本版发布的一样舍入为半精度，计算仍用单精度。",
  },
};

const frame = () => new Promise(requestAnimationFrame);
const percent = (step) => Math.round((100 * step) / STEPS);

const point = () => Float32Array.from({ length: NOISE }, () => Math.random());
const halved = () => Array.from({ length: UNITS }, () => Number(Math.random() >= 0.5));
const between = ([from, to], share) => from.map((value, i) => value + (to[i] - value) * share);
const oneHot = (label) => Array.from({ length: TEN }, (_, digit) => Number(digit === label));

/** Ink is white on black, as in MNIST and in the paper's figures, whatever the page's colours. */
function paint(canvas, values) {
  const image = new ImageData(SIDE, SIDE);
  values.forEach((value, i) => image.data.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const picture = (attributes) => make("canvas", { width: SIDE, height: SIDE, ...attributes });

function build(element, kind, text, status, run) {
  const asks = kind === "asked"; // whether the generator is given a label besides
  let ends = [point(), point()], label = asks ? 3 : null, kept = asks ? halved() : [];
  let draws = 0, drops = 0, wanted = false, busy = false, stale = true; // stale: the row is of another draw

  const large = picture({ class: "walk-large", role: "img" });
  const slider = make("input", { type: "range", min: 0, max: STEPS, value: 0, "aria-label": text.slider });
  const fresh = make("button", { type: "button" }, text.fresh);
  const drop = make("button", { type: "button" }, text.drop);
  const row = Array.from({ length: TEN }, (_, k) => {
    const name = text.one[kind](asks ? k : percent((k * STEPS) / (TEN - 1)));
    return make("button", { type: "button", "aria-label": name }, picture({ "aria-hidden": "true" }), asks ? `${k}` : "");
  });
  element.append(
    make("div", { class: "walk-work" }, large,
      make("div", {}, make("label", {}, make("span", {}, text.slider), slider), fresh, ...(asks ? [drop] : []), status)),
    make("div", { class: "walk-row", role: "group", "aria-label": text.row[kind] }, ...row),
    make("p", { class: "walk-caption" }, `${text.row[kind]}${text === TEXTS.zh ? "。" : ". "}${text.caption[kind]}`,
      text === TEXTS.zh ? "" : " ", text.half));

  const input = (share, digit) => Float32Array.from([...between(ends, share), ...(asks ? oneHot(digit) : []), ...kept]);
  const generate = async (values) => (await run(values, [1, values.length])).image.data;

  async function update() {
    wanted = true;
    if (busy) return;
    busy = true;
    try {
      while (wanted) {
        await frame(); // however fast the slider, one round a frame
        wanted = false;
        const step = Number(slider.value), values = input(step / STEPS, label), digit = label;
        const image = await generate(values);
        paint(large, image);
        large.setAttribute("aria-label", text.image(digit, percent(step)));
        slider.setAttribute("aria-valuetext", text.percent(percent(step)));
        const chosen = asks ? digit : (step * (TEN - 1)) / STEPS;
        row.forEach((button, k) => button.setAttribute("aria-pressed", k === chosen));
        const [redraw, points, units] = [stale, ends, kept];
        stale = false;
        for (let k = 0; redraw && k < TEN && points === ends && units === kept; k++) {
          paint(row[k].firstChild, await generate(asks ? input(step / STEPS, k) : input(k / (TEN - 1))));
        }
        Object.assign(element, { lastInput: values, lastImage: image, settled: !wanted });
      }
    } finally {
      busy = false;
    }
  }

  const failed = (error) => (status.textContent = text.failed(error));
  const change = (noise) => {
    stale ||= noise;
    element.settled = false;
    update().catch(failed);
  };
  slider.addEventListener("input", () => change(asks));
  fresh.addEventListener("click", () => {
    ends = [point(), point()];
    status.textContent = text.drawn(++draws);
    change(true);
  });
  drop.addEventListener("click", () => {
    kept = halved();
    status.textContent = text.dropped(++drops);
    change(true);
  });
  row.forEach((button, k) => button.addEventListener("click", () => {
    if (asks) label = k;
    else slider.value = (k * STEPS) / (TEN - 1);
    change(false);
  }));
  slider.focus({ preventScroll: true });
  change(true);
}

function offer(element) {
  const kind = element.dataset.demo;
  const text = TEXTS[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  const start = make("button", { type: "button" }, text.start(MEGABYTES[kind]));
  const status = make("p", { class: "walk-status", role: "status" });
  const about = text.about[kind] + (text === TEXTS.zh ? "" : " ") + text.runs;
  const still = element.querySelector(".still") ?? "";
  element.replaceChildren(make("p", {}, about), still, start, status);
  start.addEventListener("click", async () => {
    if (typeof WebAssembly === "undefined") return void (status.textContent = text.noWasm);
    start.disabled = true;
    status.textContent = text.loading;
    try {
      const run = await load(element.dataset.model);
      const size = NOISE + (kind === "asked" ? TEN + UNITS : 0);
      await run(new Float32Array(size), [1, size]);
      start.remove();
      still.remove?.();
      status.textContent = "";
      build(element, kind, text, status, run);
    } catch (error) {
      start.disabled = false;
      status.textContent = text.failed(error);
    }
  });
  beginIfAsked(element, start);
}

const demos = document.querySelectorAll(".demo:is([data-demo=walk], [data-demo=asked])");
if (demos.length) document.head.append(make("link", { rel: "stylesheet", href: at("walk.css") }));
demos.forEach(offer);
