// Six surfaces of two variables and four rules of descent, those of tutorials/sgd.md: the same names, and the same
// operations in the same order, so that the paths agree with Python's.

export const SURFACES = {
  bowl: {
    f: (x, y) => (x * x + y * y) / 2,
    gradient: (x, y) => [x, y],
    shows: [[-4, 4], [-3, 3]], start: [-3, 2], rate: 0.1, minima: [[0, 0]], formula: "(x² + y²)/2",
  },
  valley: {
    f: (x, y) => (x * x + 25 * y * y) / 2,
    gradient: (x, y) => [x, 25 * y],
    shows: [[-4.4, 4.4], [-3.3, 3.3]], start: [-4, 1], rate: 0.07, minima: [[0, 0]], formula: "(x² + 25y²)/2",
  },
  turned: {
    f: (x, y) => ((x + y) * (x + y) + 25 * (x - y) * (x - y)) / 4,
    gradient: (x, y) => [13 * x - 12 * y, 13 * y - 12 * x],
    shows: [[-4.4, 4.4], [-3.3, 3.3]], start: [2.83, 0], rate: 0.07, minima: [[0, 0]],
    formula: "((x + y)² + 25(x − y)²)/4",
  },
  saddle: {
    f: (x, y) => x * x / 2 - y * y / 2 + y * y * y * y / 4,
    gradient: (x, y) => [x, y * y * y - y],
    shows: [[-2, 2], [-1.5, 1.5]], start: [-1.2, 0.001], rate: 0.1, minima: [[0, 1], [0, -1]],
    formula: "x²/2 − y²/2 + y⁴/4",
  },
  wells: {
    f: (x, y) => x * x * x * x / 4 - x * x / 2 + x / 8 + y * y / 2,
    gradient: (x, y) => [x * x * x - x + 1 / 8, y],
    shows: [[-2, 2], [-1.5, 1.5]], start: [1.8, 1], rate: 0.02,
    minima: [[-1.057453770738375, 0], [0.930402926555884, 0]], formula: "x⁴/4 − x²/2 + x/8 + y²/2",
  },
  rosenbrock: {
    f: (x, y) => (1 - x) * (1 - x) + 10 * (y - x * x) * (y - x * x),
    gradient: (x, y) => [2 * (x - 1) - 40 * x * (y - x * x), 20 * (y - x * x)],
    shows: [[-2, 2], [-1, 2]], start: [-1.5, 1], rate: 0.01, minima: [[1, 1]], bend: 4, formula: "(1 − x)² + 10(y − x²)²",
  },
};

export const OPTIMISERS = {
  "gradient-descent": (w, gradient, state, rate) => {
    const g = gradient(...w);
    return w.map((wi, i) => wi - rate * g[i]);
  },
  momentum: (w, gradient, state, rate, momentum) => {
    const g = gradient(...w);
    state.v = (state.v ?? [0, 0]).map((vi, i) => momentum * vi - rate * g[i]);
    return w.map((wi, i) => wi + state.v[i]);
  },
  nesterov: (w, gradient, state, rate, momentum) => {
    const velocity = state.v ?? [0, 0];
    const g = gradient(...w.map((wi, i) => wi + momentum * velocity[i]));
    state.v = velocity.map((vi, i) => momentum * vi - rate * g[i]);
    return w.map((wi, i) => wi + state.v[i]);
  },
  adam: (w, gradient, state, rate, momentum, beta2 = 0.999, epsilon = 1e-8) => {
    const g = gradient(...w);
    state.m = (state.m ?? [0, 0]).map((mi, i) => momentum * mi + (1 - momentum) * g[i]);
    state.v = (state.v ?? [0, 0]).map((vi, i) => beta2 * vi + (1 - beta2) * g[i] * g[i]);
    state.left1 = (state.left1 ?? 1) * momentum;
    state.left2 = (state.left2 ?? 1) * beta2;
    const [m, v] = [state.m.map((mi) => mi / (1 - state.left1)), state.v.map((vi) => vi / (1 - state.left2))];
    return w.map((wi, i) => wi - (rate * m[i]) / (Math.sqrt(v[i]) + epsilon));
  },
};

/** All points from the start on; a path that has left for good ends there. */
export function descend(surface, start, optimiser, rate, momentum, steps) {
  const path = [start];
  for (let state = {}, w = start; path.length <= steps; ) {
    w = OPTIMISERS[optimiser](w, SURFACES[surface].gradient, state, rate, momentum);
    path.push(w);
    if (gone(w)) break;
  }
  return path;
}
export const gone = (w) => !w.every((wi) => Math.abs(wi) < 1e6);
