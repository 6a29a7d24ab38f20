// Curves over the symbols of a sequence, one lane below the other, with the symbols at the foot.

import { make, number, svg } from "./demos.js";

const [LEFT, WIDTH, LANE, GAP] = [4, 712, 64, 22];

/**
 * Lanes of { title, lines: [name, values, style?] …, least, most, wrong?: steps }; a line without a name has no legend.
 * `loud` says of a symbol whether it stands out, `begins` of a step whether a line is drawn before it; `choose` gets the
 * step that was clicked, from 1. Returns { picture, move }, and move(step) moves the cursor.
 */
export function chart(label, lanes, symbols, { loud, choose, begins = () => false }) {
  const height = lanes.length * (LANE + GAP) + 20, steps = symbols.length;
  const x = (t) => LEFT + ((t + 0.5) * WIDTH) / steps;
  const picture = svg("svg", { viewBox: `0 0 ${LEFT + WIDTH + 4} ${height}`, role: "img", "aria-label": label });
  const cursor = svg("line", { class: "cell-cursor", y1: 0, y2: height });
  const borders = [...symbols].map((_, t) => t).filter(begins);
  picture.append(...borders.map((t) => svg("line", { class: "cell-begins", x1: x(t - 0.5), x2: x(t - 0.5), y1: 0, y2: height })), cursor);
  lanes.forEach(({ title, lines, least, most, wrong = [] }, row) => {
    const top = row * (LANE + GAP) + GAP - 6, y = (value) => top + LANE - (LANE * (value - least)) / (most - least);
    const styles = lines.map(([, , style], k) => style ?? k + 1);
    const legend = lines.flatMap(([name], k) => (name ? [svg("tspan", { class: `cell-name-${styles[k]}`, dx: 12 }, name)] : []));
    picture.append(
      svg("text", { class: "cell-title", x: LEFT, y: top - 4 }, title, ...legend),
      svg("text", { class: "cell-scale", x: LEFT + WIDTH, y: top - 4 }, `${number(least)} … ${number(most)}`),
      svg("line", { class: "cell-zero", x1: LEFT, x2: LEFT + WIDTH, y1: y(0), y2: y(0) }),
      ...wrong.map((t) => svg("rect", { class: "cell-wrong", x: x(t - 0.5), y: top + LANE, width: WIDTH / steps, height: 5 })),
      ...lines.map(([, values], k) =>
        svg("polyline", { class: `cell-line-${styles[k]}`, points: values.map((v, t) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`).join(" ") })),
    );
  });
  const strip = [...symbols].map((symbol, t) =>
    svg("text", { class: loud(symbol) ? "cell-symbol" : "cell-noise", x: x(t), y: height - 6 }, symbol));
  picture.append(...strip);
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * (LEFT + WIDTH + 4) - LEFT;
    choose(Math.min(steps, Math.max(1, Math.ceil((place / WIDTH) * steps))));
  });
  return { picture, move: (t) => ["x1", "x2"].forEach((name) => cursor.setAttribute(name, x(t - 1))) };
}

/** A table of numbers: the columns' names, rows whose first cell is their name, and what it is a table of. */
export function readings(columns, rows, caption) {
  const head = make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map((row) => make("tr", {}, ...row.map((cell, k) => make(k ? "td" : "th", k ? {} : { scope: "row" }, cell))));
  const above = caption ? [make("caption", {}, caption)] : [];
  return make("table", { class: "cell-readings" }, ...above, make("thead", {}, head), make("tbody", {}, ...body));
}

/** The net inputs of a layer { data, shape, bias? } for its sources. */
export const net = ({ data, shape: [units, width], bias }, sources) =>
  Array.from({ length: units }, (_, i) => sources.reduce((sum, x, k) => sum + data[i * width + k] * x, bias ? bias[i] : 0));

export const logistic = (x) => 1 / (1 + Math.exp(-x));
