// ONNX Runtime Web and the models of the demos: nothing of either is loaded before a reader asks for it.

export const at = (path) => new URL(path, import.meta.url).href; // the same from every page, in every language

const runtime = (file) => at(`vendor/onnxruntime/${file}`);

/** A function from the values and the shape of the model's input to its outputs, tensors by name. */
export async function load(model) {
  const ort = await import(runtime("ort.wasm.min.mjs"));
  ort.env.wasm.numThreads = 1; // more would need headers that plain web servers do not send
  ort.env.wasm.wasmPaths = runtime(""); // of ort-wasm-simd-threaded.mjs and .wasm
  const answer = await fetch(at(`models/${model}`));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  const session = await ort.InferenceSession.create(await answer.arrayBuffer(), { executionProviders: ["wasm"] });
  return (values, shape) => session.run({ [session.inputNames[0]]: new ort.Tensor("float32", values, shape) });
}
