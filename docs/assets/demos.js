// What the demos on the papers' pages share: elements, and how those begin that run on weights alone or on a network.

import { at, load } from "./onnx.js";
import { parse } from "./vectors.js";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const make = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** A number with two places and a real minus. */
export const number = (value) => value.toFixed(2).replace("-", "−");

async function tensors(file) {
  const answer = await fetch(at(`models/${file}`));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  return parse(await answer.arrayBuffer()).tensors;
}

/** Begin the demos of a kind on this page: what is said of them, then `build(element, text, tensors of each file)`. */
export function offer(kind, texts, build, style = kind) {
  const found = document.querySelectorAll(`.demo[data-demo=${kind}]`);
  const text = texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  if (found.length) document.head.append(make("link", { rel: "stylesheet", href: at(`${style}.css`) }));
  found.forEach(async (element) => {
    element.replaceChildren(make("p", {}, text.about));
    try {
      build(element, text, ...(await Promise.all(element.dataset.model.split(" ").map(tensors))));
    } catch (error) {
      element.append(make("p", { role: "status" }, text.failed(error)));
    }
  });
}

/** The same for demos that run a network, which is loaded when the reader asks: `build(element, text, status, run)`. */
export function offerNetwork(kind, texts, build) {
  const found = document.querySelectorAll(`.demo[data-demo=${kind}]`);
  const text = texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  if (found.length) document.head.append(make("link", { rel: "stylesheet", href: at(`${kind}.css`) }));
  found.forEach((element) => {
    const start = make("button", { type: "button", class: `${kind}-start` }, text.start);
    const status = make("p", { class: `${kind}-status`, role: "status" });
    const still = element.querySelector(".still") ?? "";
    element.replaceChildren(make("p", {}, text.about), still, start, status);
    start.addEventListener("click", async () => {
      if (typeof WebAssembly === "undefined") return void (status.textContent = text.noWasm);
      start.disabled = true;
      status.textContent = text.loading;
      try {
        const run = await load(element.dataset.model);
        start.remove();
        still.remove?.();
        status.textContent = "";
        await build(element, text, status, run);
      } catch (error) {
        start.disabled = false;
        status.textContent = text.failed(error);
      }
    });
    beginIfAsked(element, start);
  });
}

/** Where the reader has asked for a demo before its script was there, it begins by itself. */
export function beginIfAsked(element, start) {
  if (element.dataset.waits === "begun") start.click();
}
