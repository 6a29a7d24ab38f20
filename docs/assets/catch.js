// A ball falls, and an agent that learned by deep Q-learning is to be under it, in the reader's browser; the reader may
// push the ball.
//
//   <div class="demo" data-demo="catch" data-model="dqn.onnx"></div>
//
// Runtime and network are loaded only when the reader asks for them. For those who want to look closer the element then
// has `trace`: the states of the ball that is falling, with values and actions.

import { make, number, offerNetwork, svg } from "./demos.js";

const MEGABYTES = 14; // of runtime and network, as a test weighs them; less travels where the server compresses
const SIZE = 10, FRAMES = 4, BETWEEN = 450, AFTER = 1200; // milliseconds between two steps, and after the last
const MOVES = [0, -1, 1]; // stay, left, right

/** The beginning of a ball in a column of the top row: the rules of literatim.datasets.catch. */
export const begin = (ball) => ({ row: 0, ball, bar: SIZE / 2, over: false, reward: 0 });

/** After an action of the bar's and, which no ball does of itself, a push of -1, 0 or 1 to the side. */
export function step({ row, ball, bar }, action, push = 0) {
  const kept = (place, edge) => Math.min(Math.max(place, edge), SIZE - 1 - edge);
  const next = { row: row + 1, ball: kept(ball + push, 0), bar: kept(bar + MOVES[action], 1) };
  const over = next.row === SIZE - 1;
  return { ...next, over, reward: over ? (Math.abs(next.ball - next.bar) <= 1 ? 1 : -1) : 0 };
}

/** The screen, row by row. */
export function screen({ row, ball, bar }) {
  const field = new Float32Array(SIZE * SIZE);
  field[row * SIZE + ball] = 255;
  field.fill(255, SIZE * (SIZE - 1) + bar - 1, SIZE * (SIZE - 1) + bar + 2);
  return field;
}

/** What the agent sees: the last four screens, black where the ball has not fallen so long. */
export function state(seen) {
  const input = new Float32Array(FRAMES * SIZE * SIZE);
  seen.slice(-FRAMES).reverse().forEach((one, back) => input.set(screen(one), (FRAMES - 1 - back) * SIZE * SIZE));
  return input;
}

const TEXTS = {
  en: {
    about:
      "A ball falls by one row a step; the agent sees the last four screens of ten by ten pixels, values staying, left and " +
      "right, and takes what has the greatest value: 1 for a ball that it will catch, −1 for one that it will miss. Watch " +
      "it, or play the ball yourself.",
    start: `Start (loads up to ${MEGABYTES} MB)`,
    loading: "Loading ONNX Runtime and the network …",
    noWasm: "This demo needs WebAssembly, which this browser does not offer.",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    who: "The ball", falls: "falls straight", mine: "is yours",
    keys: "Push the ball with ← and →, or with the buttons, one column a row. The agent has only met balls that fall straight.",
    left: "← Ball to the left", right: "Ball to the right →",
    play: "Play", pause: "Pause", step: "Step",
    names: ["stay", "left", "right"], action: "Action", value: "Value", chosen: "chosen",
    field: ({ row, ball, bar }) => `Row ${row + 1} of ${SIZE}: the ball is in column ${ball + 1}, the bar in columns ${bar} to ${bar + 2}.`,
    caught: "Caught.", missed: "Missed.",
    score: (caught, all) => `The agent has caught ${caught} of ${all}.`,
  },
  zh: {
    about:
      "球每步落下一行；智能体看到最近四帧十乘十像素的画面，给出不动、向左、向右三个动作的价值，并取价值最大者：能接住的球值 1，" +
      "接不住的值 −1。可以看它玩，也可以由你来控制球。",
    start: `开始（最多载入 ${MEGABYTES} MB）`,
    loading: "正在载入 ONNX Runtime 与网络……",
    noWasm: "此演示需要 WebAssembly，而当前浏览器不支持。",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    who: "球", falls: "直落", mine: "由你控制",
    keys: "用 ← 与 → 键或下面的按钮推球，每落一行可移一列。智能体学习时只见过直落的球。",
    left: "← 球向左", right: "球向右 →",
    play: "继续", pause: "暂停", step: "单步",
    names: ["不动", "向左", "向右"], action: "动作", value: "价值", chosen: "所选",
    field: ({ row, ball, bar }) => `第 ${row + 1} 行，共 ${SIZE} 行：球在第 ${ball + 1} 列，挡板在第 ${bar} 至 ${bar + 2} 列。`,
    caught: "接住了。", missed: "没接住。",
    score: (caught, all) => `智能体接住了 ${all} 个球中的 ${caught} 个。`,
  },
};

/** The field, which `show` brings up to date. */
function picture(text) {
  const square = (kind, width, x = 0, y = 0) => svg("rect", { class: kind, x, y, width, height: 1 });
  const ball = square("catch-ball", 1), bar = square("catch-bar", 3, 0, SIZE - 1);
  const field = svg("svg", { class: "catch-field", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" });
  field.append(square("catch-ground", SIZE), bar, ball);
  field.firstChild.setAttribute("height", SIZE);
  return { field, show(now) {
    ball.setAttribute("x", now.ball);
    ball.setAttribute("y", now.row);
    bar.setAttribute("x", now.bar - 1);
    field.setAttribute("class", `catch-field${now.over ? (now.reward > 0 ? " is-caught" : " is-missed") : ""}`);
    field.setAttribute("aria-label", text.field(now));
  } };
}

/** The three values as bars from zero, between -1 and 1; `show` marks the chosen one. */
function table(text) {
  const rows = text.names.map((name) => {
    const bar = make("i"), value = make("td"), mark = make("small");
    const row = make("tr", {}, make("th", { scope: "row" }, name, " ", mark), make("td", {}, make("span", {}, bar)), value);
    return { row, bar, value, mark };
  });
  const heads = [text.action, "", text.value].map((name) => (name ? make("th", { scope: "col" }, name) : make("td")));
  const whole = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows.map(({ row }) => row)));
  return { whole, show: (values, action) => rows.forEach(({ row, bar, value, mark }, k) => {
    const length = Math.min(1, Math.abs(values[k])) * 50;
    bar.style.cssText = `width:${length.toFixed(1)}%;margin-left:${(values[k] < 0 ? 50 - length : 50).toFixed(1)}%`;
    value.textContent = number(values[k]);
    mark.textContent = k === action ? text.chosen : "";
    row.classList.toggle("is-chosen", k === action);
  }) };
}

function build(element, text, status, run) {
  const button = (name, attributes = {}) => make("button", { type: "button", ...attributes }, name);
  const falls = button(text.falls, { "aria-pressed": true }), mine = button(text.mine, { "aria-pressed": false });
  const play = button(text.play), one = button(text.step), left = button(text.left), right = button(text.right);
  const pushes = make("p", { class: "catch-pushes" }, left, right), keys = make("p", {}, text.keys);
  const said = make("p", { class: "catch-said", role: "status" });
  const { field, show } = picture(text), values = table(text);
  element.append(
    make("p", { role: "group", "aria-label": text.who }, `${text.who} `, falls, mine), keys,
    make("p", {}, play, one), pushes, status, make("div", { class: "catch-both" }, field, make("div", {}, values.whole, said)));
  let seen, action, push = 0, going = false, timer, busy = Promise.resolve(), caught = 0, all = 0;

  async function think() {
    const found = [...(await run(state(seen), [1, FRAMES, SIZE, SIZE])).values.data];
    action = found.indexOf(Math.max(...found));
    show(seen.at(-1));
    values.show(found, action);
    element.trace.push({ ...seen.at(-1), values: found, action });
  }

  async function advance() {
    if (seen?.at(-1).over !== false) {
      seen = [begin(Math.floor(Math.random() * SIZE))];
      push = 0;
      element.trace = [];
      return think();
    }
    const next = step(seen.at(-1), action, push);
    seen.push(next);
    push = 0;
    if (!next.over) return think();
    show(next);
    all += 1;
    caught += next.reward > 0;
    said.textContent = `${next.reward > 0 ? text.caught : text.missed} ${text.score(caught, all)}`;
    element.trace.push({ ...next });
  }

  const turn = () => (busy = busy.then(advance).catch((error) => { set(false); status.textContent = text.failed(error); }));
  async function round() {
    await turn();
    if (going) timer = setTimeout(round, seen.at(-1).over ? AFTER : BETWEEN);
  }
  function set(on) {
    clearTimeout(timer);
    going = on;
    play.textContent = on ? text.pause : text.play;
    if (on) round();
  }
  function own(yes) {
    falls.setAttribute("aria-pressed", !yes);
    mine.setAttribute("aria-pressed", yes);
    pushes.hidden = keys.hidden = !yes;
    caught = all = push = 0;
    said.textContent = "";
    seen = undefined; // another ball
    if (!going) turn();
  }
  play.addEventListener("click", () => set(!going));
  one.addEventListener("click", () => { set(false); turn(); });
  falls.addEventListener("click", () => own(false));
  mine.addEventListener("click", () => own(true));
  left.addEventListener("click", () => (push = -1));
  right.addEventListener("click", () => (push = 1));
  element.addEventListener("keydown", (event) => {
    const aside = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!aside || pushes.hidden) return;
    event.preventDefault();
    push = aside;
  });
  own(false);
  set(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  play.focus({ preventScroll: true });
}

offerNetwork("catch", TEXTS, build);
