// An agent learns on Gymnasium's slippery lake, in the reader's browser, by Eq. 1 of Watkins and Dayan (1992).
//
//   <div class="demo" data-demo="lake" data-model="frozenlake.safetensors"></div>
//
// The probabilities are those of Gymnasium's table (lake.json); the file of weights is the table of a recorded run.
// For those who want to look closer the element then has `agent`: { q, tried, steps, arrived } and `exact`.

import { at } from "./onnx.js";
import { make, number, offer, svg } from "./demos.js";

const GAMMA = 0.95, EPSILON = 0.3; // of the recorded run
const FACTORS = { power: (i) => 0.5 * i ** -0.6, constant: () => 0.1, harmonic: (i) => 0.5 / i, square: (i) => 0.5 / i ** 2 };
const ARROWS = ["←", "↓", "→", "↑"]; // Gymnasium's actions 0 to 3
// Of each action a triangle from a side to the middle of the field, and the place of its number.
const PARTS = [
  ["0,0 0,100 50,50", 17, 50], ["0,100 100,100 50,50", 50, 90], ["100,0 100,100 50,50", 83, 50], ["0,0 100,0 50,50", 50, 16],
];

const TEXTS = {
  en: {
    about:
      "The agent starts at S and wants to G; where there is an H the ice has a hole, and it slips to a side two times in three. " +
      "Every field has four numbers, the values of going left, down, right and up; the arrow is what the agent thinks best. " +
      "Let it learn, then change the factors and let it begin again.",
    failed: (error) => `The demo does not work here: ${error.message.split("\n")[0]}`,
    step: "One step", run: "Run", pause: "Pause", many: "100,000 steps", again: "Begin again",
    factors: "Learning factor of the i-th try",
    names: { power: "0.5 / i^0.6 (converges)", constant: "0.1 (keeps wavering)", harmonic: "0.5 / i (converges slowly)", square: "0.5 / i² (stops short)" },
    shows: "Shown", views: { own: "what is learned here", recorded: "the recorded run", exact: "the exact values" },
    lake: "The lake: of each field the values of the four actions",
    field: (place, letter, values) => `${place}, ${letter}: ${values}`,
    kinds: { S: "start", F: "ice", H: "hole", G: "goal" }, actions: ["left", "down", "right", "up"],
    status: (steps, ended, arrived, off) =>
      `${steps} steps, ${ended} attempts, ${arrived} at the goal. Largest difference from the exact values: ${off}.`,
    shown: (off) => ` What is shown is off by at most ${off}.`,
  },
  zh: {
    about:
      "智能体从 S 出发，想到达 G；标 H 处是冰窟，而它三次中有两次会滑向侧面。每格有四个数，即向左、向下、向右、向上的值；箭头是智能体认为最好的动作。" +
      "先让它学习，再换一种学习因子，从头开始。",
    failed: (error) => `演示无法在此运行：${error.message.split("\n")[0]}`,
    step: "一步", run: "运行", pause: "暂停", many: "十万步", again: "从头开始",
    factors: "第 i 次尝试的学习因子",
    names: { power: "0.5 / i^0.6（收敛）", constant: "0.1（摇摆不定）", harmonic: "0.5 / i（收敛缓慢）", square: "0.5 / i²（半途而止）" },
    shows: "显示", views: { own: "此处所学", recorded: "运行记录", exact: "精确值" },
    lake: "冰湖：每格四个动作的值",
    field: (place, letter, values) => `第 ${place} 格，${letter}：${values}`,
    kinds: { S: "起点", F: "冰面", H: "冰窟", G: "目标" }, actions: ["左", "下", "右", "上"],
    status: (steps, ended, arrived, off) => `${steps} 步，${ended} 个回合，到达目标 ${arrived} 次。与精确值的最大差异：${off}。`,
    shown: (off) => `所显示的至多相差 ${off}。`,
  },
};

/** The optimal values, by value iteration. */
function valueIteration(table) {
  let v = table.map(() => 0), q, moved;
  do {
    q = table.map((actions) => actions.map((ways) => ways.reduce((sum, [p, y, r, end]) => sum + p * (r + (end ? 0 : GAMMA * v[y])), 0)));
    const next = q.map((row) => Math.max(...row));
    moved = Math.max(...next.map((value, x) => Math.abs(value - v[x])));
    v = next;
  } while (moved > 1e-12);
  return q;
}

/** The agent: one change of its table a step, by Eq. 1. */
export class Agent {
  constructor({ table, limit }) {
    Object.assign(this, { table, limit });
    this.begin();
  }

  begin() {
    this.q = this.table.map((actions) => actions.map(() => 0));
    this.tried = this.table.map((actions) => actions.map(() => 0));
    Object.assign(this, { x: 0, taken: 0, steps: 0, ended: 0, arrived: 0 });
  }

  choose(row) {
    const best = Math.max(...row);
    const among = [0, 1, 2, 3].filter((a) => this.explores || row[a] === best);
    return among[Math.floor(Math.random() * among.length)];
  }

  step(factor) {
    const row = this.q[this.x];
    this.explores = Math.random() < EPSILON;
    const a = this.choose(row), ways = this.table[this.x][a];
    let draw = Math.random(), k = 0;
    while (k < ways.length - 1 && draw >= ways[k][0]) draw -= ways[k++][0];
    const [, y, r, end] = ways[k];
    const alpha = factor(++this.tried[this.x][a]);
    row[a] = (1 - alpha) * row[a] + alpha * (r + (end ? 0 : GAMMA * Math.max(...this.q[y])));
    this.steps += 1;
    this.taken += 1;
    const over = end || this.taken === this.limit; // which is no end: the value of y was taken as it is
    this.ended += over;
    this.arrived += end && r > 0;
    [this.x, this.taken] = over ? [0, 0] : [y, this.taken];
  }
}

/** A field: four triangles, as dark as their values are high, the values, and the arrow of the best. */
function field(text, letter, place) {
  const dead = "HG".includes(letter);
  const parts = dead ? [] : PARTS.map(([points]) => svg("polygon", { points }));
  const values = dead ? [] : PARTS.map(([, x, y]) => svg("text", { x, y, class: "lake-value" }));
  const middle = svg("text", { x: 50, y: 50, class: dead ? "lake-letter" : "lake-arrow" }, dead ? letter : "");
  const start = letter === "S" ? [svg("text", { x: 10, y: 14, class: "lake-letter lake-start" }, "S")] : [];
  const drawn = svg("svg", { viewBox: "0 0 100 100", role: "img", class: `lake-field lake-${letter}` }, ...parts, ...values, middle, ...start);
  return { drawn, show(row, here, most) {
    const said = dead ? "" : row.map((value, a) => `${text.actions[a]} ${number(value)}`).join(", ");
    drawn.setAttribute("aria-label", text.field(place + 1, text.kinds[letter], said));
    drawn.classList.toggle("lake-here", here);
    if (dead) return;
    const best = Math.max(...row);
    row.forEach((value, a) => {
      parts[a].style.fillOpacity = (0.85 * Math.max(0, value)) / most;
      values[a].textContent = number(value).replace("0.", ".");
    });
    middle.textContent = best > 0 ? ARROWS[row.indexOf(best)] : "";
  } };
}

function build(element, text, lake, recorded) {
  const agent = new Agent(lake), exact = valueIteration(lake.table), letters = [...lake.rows.join("")];
  const live = letters.map((letter, x) => x).filter((x) => !"HG".includes(letters[x])), most = Math.max(...exact.flat());
  const off = (q) => Math.max(...live.flatMap((x) => q[x].map((value, a) => Math.abs(value - exact[x][a]))));
  const views = { own: () => agent.q, recorded: () => recorded, exact: () => exact };
  const choice = (label, names) => {
    const select = make("select", {}, ...Object.entries(names).map(([value, name]) => make("option", { value }, name)));
    return [select, make("label", {}, make("span", {}, label), select)];
  };
  const [factors, first] = choice(text.factors, text.names), [view, second] = choice(text.shows, text.views);
  const button = (name) => make("button", { type: "button" }, name);
  const [one, run, many, again] = [text.step, text.run, text.many, text.again].map(button);
  const fields = letters.map((letter, x) => field(text, letter, x)), status = make("p", { role: "status" });
  const grid = make("div", { class: "lake-grid", role: "group", "aria-label": text.lake }, ...fields.map(({ drawn }) => drawn));
  grid.style.gridTemplateColumns = `repeat(${lake.rows[0].length}, 1fr)`;
  element.append(make("div", { class: "lake-controls" }, first, second), make("div", { class: "lake-controls" }, one, run, many, again), grid, status);
  Object.assign(element, { agent, exact, recorded });

  function show() {
    const q = views[view.value]();
    fields.forEach(({ show: draw }, x) => draw(q[x], x === agent.x, most));
    status.textContent = text.status(agent.steps, agent.ended, agent.arrived, off(agent.q).toFixed(3)) +
      (view.value === "own" ? "" : text.shown(off(q).toFixed(3)));
  }
  const learn = (number) => {
    for (let n = 0; n < number; n++) agent.step(FACTORS[factors.value]);
    show();
  };
  let running = 0;
  const stop = () => {
    cancelAnimationFrame(running);
    running = 0;
    run.textContent = text.run;
  };
  const go = () => {
    learn(20 + Math.floor(agent.steps / 100)); // slowly at first, so that one can look on
    running = element.isConnected ? requestAnimationFrame(go) : 0;
  };
  one.addEventListener("click", () => learn(1));
  many.addEventListener("click", () => learn(100_000));
  run.addEventListener("click", () => {
    if (running) return stop();
    run.textContent = text.pause;
    running = requestAnimationFrame(go);
  });
  again.addEventListener("click", () => {
    stop();
    agent.begin();
    show();
  });
  view.addEventListener("change", show);
  show();
}

async function begin(element, text, { q: { data, shape: [, actions] } }) {
  try {
    const answer = await fetch(at("lake.json"));
    if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
    const lake = await answer.json();
    build(element, text, lake, lake.table.map((_, x) => Array.from(data.slice(x * actions, (x + 1) * actions))));
  } catch (error) {
    element.append(make("p", { role: "status" }, text.failed(error)));
  }
}

offer("lake", TEXTS, begin);
