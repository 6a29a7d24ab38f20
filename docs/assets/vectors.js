// Word vectors in the browser: what literatim.papers.word2vec.evaluation does, on the file of a demo.

import { at } from "./onnx.js";

const CUTOFF = 0.6; // the least likeness of a spelling that is worth naming

/** The tensors of a safetensors file, as typed arrays with their shapes, and its metadata. */
export function parse(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__: metadata, ...found } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const kinds = { I8: Int8Array, U8: Uint8Array, I32: Int32Array, F32: Float32Array };
  const tensors = Object.entries(found).map(([name, { dtype, shape, data_offsets: [from, to] }]) =>
    [name, { shape, data: new kinds[dtype](buffer.slice(8 + length + from, 8 + length + to)) }]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** The vectors of a file, and what it says about them. */
export async function load(file) {
  const answer = await fetch(at(`models/${file}`));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  const { tensors, metadata } = parse(await answer.arrayBuffer());
  const { data, shape: [, size] } = tensors.vectors;
  const { words, ...about } = JSON.parse(metadata.about);
  return { vectors: new Vectors(words, data, size), about };
}

/** Words with their vectors, at unit length; looked up without regard to case, the more frequent word first. */
export class Vectors {
  constructor(words, table, size) {
    [this.words, this.size, this.table] = [words, size, new Float32Array(table.length)];
    this.place = new Map(words.map((word, i) => [word.toLowerCase(), i]).reverse());
    for (let i = 0; i < words.length; i++) this.table.set(unit(table.subarray(i * size, (i + 1) * size)), i * size);
  }

  has(word) {
    return this.place.has(word.toLowerCase());
  }

  /** The n words nearest to a word by cosine, nearest first, as [word, cosine, place]; itself left out. */
  neighbours(word, n) {
    return this.#nearest(this.#vector(word), [this.#id(word)], n);
  }

  /** a is to b as c is to …: the n words nearest to b − a + c, without these three. */
  analogy(a, b, c, n) {
    const [first, second, third] = [a, b, c].map((word) => this.#vector(word));
    return this.#nearest(unit(second.map((value, i) => value - first[i] + third[i])), [a, b, c].map((word) => this.#id(word)), n);
  }

  /** The three spellings most like that of a word, the most alike first: Python's difflib.get_close_matches. */
  spellings(word) {
    const found = [];
    for (const known of this.place.keys()) {
      const most = (2 * Math.min(known.length, word.length)) / (known.length + word.length);
      const likeness = most < CUTOFF ? 0 : (2 * matching(known, word)) / (known.length + word.length);
      if (likeness >= CUTOFF) found.push([likeness, known]);
    }
    return found.sort(([p, a], [q, b]) => q - p || (a < b ? 1 : -1)).slice(0, 3).map(([, known]) => known);
  }

  #id(word) {
    return this.place.get(word.toLowerCase());
  }

  #vector(word) {
    const i = this.#id(word);
    return this.table.subarray(i * this.size, (i + 1) * this.size);
  }

  #nearest(vector, leftOut, n) {
    const cosines = this.words.map((word, i) => {
      let sum = 0;
      for (let k = 0; k < this.size; k++) sum += this.table[i * this.size + k] * vector[k];
      return [word, sum, i];
    });
    const others = cosines.filter(([, , i]) => !leftOut.includes(i));
    return others.sort(([, p], [, q]) => q - p).slice(0, n);
  }
}

function unit(vector) {
  const length = Math.hypot(...vector) || 1;
  return Float32Array.from(vector, (value) => value / length);
}

/** How many letters two words share: those of the longest piece of both, and so on to the left and right of it. */
function matching(a, b) {
  let [size, i, j] = [0, 0, 0];
  let before = new Array(b.length + 1).fill(0);
  for (let row = 0; row < a.length; row++) {
    const now = new Array(b.length + 1).fill(0);
    for (let column = 0; column < b.length; column++) {
      if (a[row] !== b[column]) continue;
      now[column + 1] = before[column] + 1;
      if (now[column + 1] > size) [size, i, j] = [now[column + 1], row + 1, column + 1]; // where the piece ends
    }
    before = now;
  }
  if (!size) return 0;
  return size + matching(a.slice(0, i - size), b.slice(0, j - size)) + matching(a.slice(i), b.slice(j));
}
