// The symmetry net of Rumelhart, Hinton and Williams (1986, Fig. 1) and its learning, in double precision: what
// literatim.papers.backprop does, one net at a time. Weights are 17 numbers: of each hidden unit its six, the two hidden
// biases, the two of the output unit, its bias.

export const VECTORS = Array.from({ length: 64 }, (_, n) => Array.from({ length: 6 }, (_, i) => (n >> (5 - i)) & 1));
export const SYMMETRICAL = VECTORS.map((x) => +[0, 1, 2].every((i) => x[i] === x[5 - i]));

const logistic = (x) => 1 / (1 + Math.exp(-x)); // Eq. 2

export class SymmetryNet {
  constructor(weights, { eps = 0.1, alpha = 0.9, within = 0.2 } = {}) {
    Object.assign(this, { weights: Float64Array.from(weights), eps, alpha, within, sweeps: 0 });
    this.changes = new Float64Array(17);
    this.look();
  }

  /** The forward pass of all vectors (Eqs. 1 to 3), the derivatives (Eqs. 4 to 7), and whether every output is right. */
  look() {
    const w = this.weights, gradient = new Float64Array(17);
    let error = 0;
    this.outputs = VECTORS.map((x, c) => {
      const hidden = [0, 1].map((j) => logistic(x.reduce((sum, y, i) => sum + y * w[6 * j + i], 0) + w[12 + j]));
      const y = logistic(hidden[0] * w[14] + hidden[1] * w[15] + w[16]);
      const off = y - SYMMETRICAL[c], above = off * y * (1 - y);
      error += (off * off) / 2;
      gradient[16] += above;
      hidden.forEach((h, j) => {
        const below = above * w[14 + j] * h * (1 - h);
        gradient[14 + j] += above * h;
        gradient[12 + j] += below;
        x.forEach((bit, i) => (gradient[6 * j + i] += below * bit));
      });
      return y;
    });
    Object.assign(this, { error, gradient });
    this.learned = this.outputs.every((y, c) => Math.abs(y - SYMMETRICAL[c]) < this.within);
  }

  /** One change of the weights by Eq. 9, unless every output is right; returns whether there was one. */
  sweep() {
    if (this.learned) return false;
    for (let k = 0; k < 17; k++) {
      this.changes[k] = -this.eps * this.gradient[k] + this.alpha * this.changes[k];
      this.weights[k] += this.changes[k];
    }
    this.sweeps++;
    this.look();
    return true;
  }
}
