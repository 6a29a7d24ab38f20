// The playground's drawings, as SVG that takes its colours from the page: an empty plot, a landscape of contours.

const SVG = new Set(["svg", "g", "path", "circle", "text", "rect", "clipPath"]);
const [LEFT, RIGHT, TOP, BOTTOM] = [50, 18, 10, 40];
const [COLUMNS, ROWS, LEVELS] = [96, 72, 13];

export function make(tag, attributes = {}, ...children) {
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const tame = (c) => Math.max(-1e4, Math.min(1e4, c)); // far outside is far enough
export const line = (points) => `M${points.map((p) => p.map((c) => tame(c).toFixed(1))).join("L")}`;
export const dots = (points) => points.map((p) => `${line([p])}h0`).join("");
export const move = (element, point) => element.setAttribute("transform", `translate(${point.map(tame).join(" ")})`);

/** A plot without content; `scale` draws its ticks and returns the map from values to places. */
export function plot(width, height, id) {
  const [right, bottom] = [width - RIGHT, height - BOTTOM];
  const area = { x: LEFT, y: TOP, width: right - LEFT, height: bottom - TOP };
  const [ticks, inside] = [make("g"), make("g", { "clip-path": `url(#${id})` })];
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" },
    make("clipPath", { id }, make("rect", area)), make("rect", { ...area, class: "frame" }), inside, ticks);
  const word = (x, y, anchor, said) => make("text", { x, y, "text-anchor": anchor }, said);

  function scale([x0, x1], [y0, y1], xs, ys, xlabel, ylabel) {
    const place = (x, y) => [LEFT + (area.width * (x - x0)) / (x1 - x0), bottom - (area.height * (y - y0)) / (y1 - y0)];
    ticks.replaceChildren(
      ...xs.map(([x, said]) => word(place(x, y0)[0], bottom + 18, "middle", said)),
      ...ys.map(([y, said]) => word(LEFT - 6, place(x0, y)[1] + 5, "end", said)),
      word((LEFT + right) / 2, bottom + 36, "middle", xlabel),
      ylabel.length > 1 ? word(right - 8, TOP + 20, "end", ylabel) : word(8, TOP + 14, "start", ylabel));
    return place;
  }
  /** The values at a pointer's place. */
  function values({ clientX, clientY }, [x0, x1], [y0, y1]) {
    const box = svg.getBoundingClientRect();
    const [px, py] = [((clientX - box.left) * width) / box.width, ((clientY - box.top) * height) / box.height];
    return [x0 + ((px - LEFT) * (x1 - x0)) / area.width, y0 + ((bottom - py) * (y1 - y0)) / area.height];
  }
  return { svg, inside, scale, values };
}

/** Marching squares: the pieces of the curve f = level, cell by cell of a grid of values. */
function contour(values, level, place) {
  let d = "";
  for (let j = 1; j < values.length; j++) {
    for (let i = 1; i < values[j].length; i++) {
      const corners = [[i - 1, j - 1], [i, j - 1], [i, j], [i - 1, j]];
      const cuts = [];
      corners.forEach(([i0, j0], k) => {
        const [i1, j1] = corners[(k + 1) % 4];
        const [a, b] = [values[j0][i0], values[j1][i1]];
        if (a < level === b < level) return;
        const part = (level - a) / (b - a);
        cuts.push(place(i0 + part * (i1 - i0), j0 + part * (j1 - j0)));
      });
      for (let k = 0; k + 1 < cuts.length; k += 2) d += line(cuts.slice(k, k + 2));
    }
  }
  return d;
}

/** Draw a surface's contours, the low ones strongest, and a cross at each minimum; returns the map to places. */
export function landscape({ f, shows, minima, bend = 2 }, { inside, scale }) {
  const [[x0, x1], [y0, y1]] = shows;
  const at = (i, j) => [x0 + ((x1 - x0) * i) / COLUMNS, y0 + ((y1 - y0) * j) / ROWS];
  const range = (n) => Array.from({ length: n }, (_, k) => k);
  const values = range(ROWS + 1).map((j) => range(COLUMNS + 1).map((i) => f(...at(i, j))));
  const [low, high] = [Math.min(...minima.map((w) => f(...w))), Math.max(...values.flat())];
  const whole = ([from, to]) => range(20).map((k) => k - 10).filter((t) => t >= from && t <= to).map((t) => [t, `${t}`]);
  const place = scale(...shows, ...shows.map(whole), "x", "y");
  const curves = range(LEVELS).map((k) => {
    const level = low + (high - low) * ((k + 0.5) / LEVELS) ** bend;
    const d = contour(values, level, (i, j) => place(...at(i, j)));
    return make("path", { d, class: "contour", opacity: 0.95 - (0.6 * k) / LEVELS });
  });
  const crosses = minima.map((w) => make("path", { class: "minimum", d: "M-6 0h12M0 -6v12", transform: `translate(${place(...w)})` }));
  inside.replaceChildren(...curves, ...crosses);
  return place;
}
