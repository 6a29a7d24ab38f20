// The playground: a point descends a surface of two variables, by the rules of the tutorial on gradient descent.
//
//   <div class="playground"></div>
//   <button type="button" class="playground-set" data-state="surface=valley&optimiser=momentum&rate=0.1" hidden>
//
// The address keeps the setting: #surface=…&x=…&y=…&optimiser=…&rate=…&momentum=…&steps=…. For those who want to look
// closer the element has `path`, all points of the last run as [x, y], and data-state: ready, running or done.

import { dots, landscape, line, make, move, plot } from "./contours.js";
import { descend, gone, OPTIMISERS, SURFACES } from "./descent.js";

const LIMITS = { x: [-100, 100], y: [-100, 100], rate: [1e-6, 10], momentum: [0, 0.999], steps: [1, 5000] };
const NEAR = 1e-6; // f this near to its lowest value counts as arrived
const LOWEST = 1e-12; // where the curve of f ends

const TEXTS = {
  en: {
    surface: "Surface",
    surfaces: {
      bowl: "Bowl", valley: "Valley", turned: "Valley, turned", saddle: "Saddle", wells: "Two wells", rosenbrock: "Rosenbrock",
    },
    optimiser: "Optimiser",
    optimisers: { "gradient-descent": "Gradient descent", momentum: "Momentum", nesterov: "Nesterov", adam: "Adam" },
    rate: "Learning rate α", momentum: "Momentum μ (β₁ of Adam)", steps: "Steps", x: "Start x", y: "Start y",
    slider: (label) => `${label}, slider`,
    run: "Run", step: "One step", reset: "Reset",
    hint: (formula) => `f = ${formula}. Click or tap to set the start.`,
    map: (formula, from, to, n) => `Contours of f = ${formula}, and a path of ${n} steps from (${from}) to (${to})`,
    curve: (from, to) => `f above its lowest value against the step, on a logarithmic scale: from ${from} to ${to}`,
    xlabel: "step", ylabel: "f − min f",
    at: (n, x, y, f, g) => `Step ${n}: x = ${x}, y = ${y}, f = ${f}, |∇f| = ${g}.`,
    diverged: (n) => ` Diverged after ${n} steps: the point is more than a million away.`,
    arrived: (n) => ` From step ${n} on, f is within a millionth of its lowest value.`,
  },
  zh: {
    surface: "曲面",
    surfaces: {
      bowl: "圆碗", valley: "峡谷", turned: "斜置的峡谷", saddle: "鞍面", wells: "双阱", rosenbrock: "Rosenbrock函数",
    },
    optimiser: "优化器",
    optimisers: { "gradient-descent": "梯度下降", momentum: "动量法", nesterov: "Nesterov", adam: "Adam" },
    rate: "学习率α", momentum: "动量μ（Adam的β₁）", steps: "步数", x: "起点x", y: "起点y",
    slider: (label) => `${label}，滑块`,
    run: "运行", step: "走一步", reset: "复位",
    hint: (formula) => `f = ${formula}。点击或轻触图面可设定起点。`,
    map: (formula, from, to, n) => `f = ${formula}的等高线，以及从(${from})到(${to})的${n}步路径`,
    curve: (from, to) => `f高出最小值的部分随步数的变化，对数坐标：从${from}到${to}`,
    xlabel: "步", ylabel: "f − min f",
    at: (n, x, y, f, g) => `第${n}步：x = ${x}，y = ${y}，f = ${f}，|∇f| = ${g}。`,
    diverged: (n) => `走了${n}步后发散：点已远在一百万之外。`,
    arrived: (n) => `从第${n}步起，f与最小值之差小于百万分之一。`,
  },
};

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const short = (value) => {
  const size = Math.abs(value);
  return size && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : `${Number(value.toPrecision(4))}`;
};
const clamp = (value, [min, max]) => Math.max(min, Math.min(max, value));

/** Labels, fields, sliders and buttons; every input has a name, and an id where a label stands for it. */
function controls(text, id) {
  const select = (name, options) =>
    make("select", { name, id: id(name) }, ...Object.entries(options).map(([value, said]) => make("option", { value }, said)));
  const number = (name, step = "any") =>
    make("input", { type: "number", name, id: id(name), step, min: LIMITS[name][0], max: LIMITS[name][1] });
  const slider = (name, min, max) =>
    make("input", { type: "range", name: `${name}-slider`, min, max, step: 0.01, "aria-label": text.slider(text[name]) });
  const field = (name, ...inputs) =>
    make("div", { class: `field ${name}` }, make("label", { for: id(name) }, text[name]), ...inputs);
  const button = (name) => make("button", { type: name === "run" ? "submit" : "button", name }, text[name]);
  return make("form", {},
    field("surface", select("surface", text.surfaces)), field("optimiser", select("optimiser", text.optimisers)),
    field("rate", number("rate"), slider("rate", -4, 1)), field("momentum", number("momentum"), slider("momentum", 0, 0.99)),
    field("x", number("x")), field("y", number("y")), field("steps", number("steps", 1)),
    make("div", { class: "buttons" }, ...["run", "step", "reset"].map(button)));
}

function build(element, number) {
  const text = TEXTS[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  const setting = { surface: "valley", x: -4, y: 1, optimiser: "gradient-descent", rate: 0.07, momentum: 0.9, steps: 120 };
  const id = (name) => `playground-${number}-${name}`;
  const form = controls(text, id);
  const inputs = form.elements;
  const [map, curve] = [plot(480, 359, id("map")), plot(330, 250, id("curve"))];
  const status = make("p", { class: "status", role: "status" });
  const hint = make("p", { class: "hint" });
  const [course, points, start, end] = [
    make("path", { class: "line" }), make("path", { class: "dots" }),
    make("circle", { class: "start", r: 6 }), make("circle", { class: "end", r: 5 })];
  const fall = make("path", { class: "line" });
  curve.inside.append(fall);
  element.replaceChildren(form,
    make("div", { class: "plots" }, make("div", {}, map.svg, hint), make("div", {}, curve.svg, status)));

  let surface, low, place; // the surface, its lowest value, the map from its points to the drawing
  let shown = 0, animation = 0, saying = 0;

  // ---- The setting and the form

  /** Take what is valid of `values`; true if all of it was. */
  function take(values) {
    return Object.entries(values).map(([name, value]) => {
      const known = { surface: SURFACES, optimiser: OPTIMISERS }[name];
      const wanted = known ? value : value === "" ? NaN : Number(value);
      const [min, max] = LIMITS[name] ?? [];
      const valid = known ? Object.hasOwn(known, value) : wanted >= min && wanted <= max && (name !== "steps" || wanted % 1 === 0);
      if (valid) setting[name] = wanted;
      return valid;
    }).every(Boolean);
  }

  /** A setting as the address has it; what it does not name of start and rate is the surface's own. */
  function takeAll(query) {
    const values = Object.fromEntries(new URLSearchParams(query));
    if (!Object.hasOwn(SURFACES, values.surface ?? "")) return false;
    const { start: [x, y], rate } = SURFACES[values.surface];
    take({ x, y, rate });
    take(values);
    fill();
    return true;
  }

  /** Show the setting in the form, but leave alone what the reader is typing in. */
  function fill(typing) {
    const sliders = { "rate-slider": Math.log10(setting.rate), "momentum-slider": setting.momentum };
    for (const [name, value] of Object.entries({ ...setting, ...sliders })) {
      if (inputs[name] !== typing) inputs[name].value = value;
      inputs[name].removeAttribute("aria-invalid");
    }
    inputs["rate-slider"].setAttribute("aria-valuetext", short(setting.rate));
    inputs.momentum.disabled = inputs["momentum-slider"].disabled = setting.optimiser === "gradient-descent";
  }

  const remember = () => history.replaceState(history.state, "", `#${new URLSearchParams(setting)}`);

  // ---- The path and what is shown of it

  function compute() {
    cancelAnimationFrame(animation);
    if (surface !== SURFACES[setting.surface]) {
      surface = SURFACES[setting.surface];
      low = Math.min(...surface.minima.map((w) => surface.f(...w)));
      place = landscape(surface, map);
      map.inside.append(course, points, start, end);
      hint.textContent = text.hint(surface.formula);
    }
    const { x, y, optimiser, rate, momentum, steps } = setting;
    element.path = descend(setting.surface, [x, y], optimiser, rate, momentum, steps);
  }

  function draw() {
    const seen = element.path.slice(0, shown + 1);
    const places = seen.map((w) => place(...w));
    course.setAttribute("d", line(places));
    points.setAttribute("d", dots(places));
    move(start, places[0]);
    move(end, places.at(-1));
    const heights = seen.map((w) => Math.log10(Math.max(LOWEST, surface.f(...w) - low)));
    const top = Math.ceil(Math.max(...heights));
    const floor = Math.min(top - 2, Math.floor(Math.min(...heights)));
    const pace = Math.ceil((top - floor) / 4);
    const decades = [0, 1, 2, 3, 4].map((k) => top - k * pace).filter((k) => k >= floor);
    const steps = [0, Math.round(setting.steps / 2), setting.steps];
    const spot = curve.scale([0, setting.steps], [floor, top], [...new Set(steps)].map((n) => [n, `${n}`]),
      decades.map((k) => [k, k < -3 || k > 3 ? `1e${k}` : `${Number(`1e${k}`)}`]), text.xlabel, text.ylabel);
    fall.setAttribute("d", line(heights.map((height, n) => spot(n, height))));
  }

  function say() {
    const [from, to] = [element.path[0], element.path[shown]];
    const above = element.path.slice(0, shown + 1).map((w) => surface.f(...w) - low);
    const settled = above.findLastIndex((height) => !(height < NEAR)) + 1;
    const told = text.at(shown, ...[...to, surface.f(...to), Math.hypot(...surface.gradient(...to))].map(short));
    const end = gone(to) ? text.diverged(shown) : settled <= shown ? text.arrived(settled) : "";
    if (status.textContent !== told + end) status.textContent = told + end;
    const pair = (w) => w.map(short).join(", ");
    map.svg.setAttribute("aria-label", text.map(surface.formula, pair(from), pair(to), shown));
    curve.svg.setAttribute("aria-label", text.curve(short(above[0]), short(above.at(-1))));
  }

  /** Show the first `count` steps. They are told when they are the last word: not in an animation, not while a slider moves. */
  function show(count, { animated = false, live = false } = {}) {
    const last = element.path.length - 1;
    shown = Math.min(count, last);
    draw();
    element.dataset.state = shown === last ? "done" : animated ? "running" : "ready";
    clearTimeout(saying);
    if (live) saying = setTimeout(say, 500);
    else if (element.dataset.state !== "running") say();
  }

  function run() {
    compute();
    const last = element.path.length - 1;
    if (still()) return show(last);
    const [began, time] = [performance.now(), Math.min(2500, 400 + 25 * last)];
    const frame = (now) => {
      show(Math.floor((last * Math.max(0, now - began)) / time), { animated: true });
      if (shown < last) animation = requestAnimationFrame(frame);
    };
    frame(began);
  }

  /** After a change of the setting: all of the new path, or only its start for those who go step by step. */
  function changed(typing) {
    const stepping = element.dataset.state === "ready";
    fill(typing);
    compute();
    show(stepping ? 0 : setting.steps, { live: true });
  }

  function step() {
    cancelAnimationFrame(animation);
    if (shown < element.path.length - 1) return show(shown + 1);
    if (gone(element.path[shown]) || !take({ steps: setting.steps + 1 })) return;
    fill();
    remember();
    compute();
    show(setting.steps);
  }

  form.addEventListener("input", ({ target }) => {
    const { name, value } = target;
    if (name === "surface") return void (takeAll(`surface=${value}`) && changed(target));
    const slid = { "rate-slider": { rate: Number((10 ** value).toPrecision(3)) }, "momentum-slider": { momentum: value } }[name];
    if (take(slid ?? { [name]: value })) changed(target);
    else target.setAttribute("aria-invalid", "true");
  });
  form.addEventListener("change", () => {
    fill();
    remember();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    remember();
    run();
  });
  inputs.step.addEventListener("click", step);
  inputs.reset.addEventListener("click", () => {
    cancelAnimationFrame(animation);
    show(0);
  });
  map.svg.addEventListener("click", (event) => {
    const [x, y] = map.values(event, ...surface.shows).map((c, i) => Math.round(100 * clamp(c, surface.shows[i])) / 100);
    take({ x, y });
    changed();
    remember();
  });
  addEventListener("hashchange", () => takeAll(location.hash.slice(1)) && run());

  const given = takeAll(location.hash.slice(1));
  fill();
  compute();
  if (given) run();
  else show(setting.steps);
  return (query) => {
    takeAll(query);
    remember();
    element.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" });
    run();
  };
}

const [set] = [...document.querySelectorAll(".playground")].map(build);
if (set) document.head.append(make("link", { rel: "stylesheet", href: new URL("playground.css", import.meta.url).href }));
for (const button of document.querySelectorAll("button.playground-set")) {
  button.hidden = false;
  button.addEventListener("click", () => set?.(button.dataset.state));
}
