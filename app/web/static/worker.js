// Runs the networks, so that the page stays responsive.

import * as ort from "./ort/ort.wasm.min.mjs";

ort.env.wasm.numThreads = 1; // more need headers that static hosts do not send
ort.env.wasm.wasmPaths = new URL("./ort/", self.location).href;
// weights become float32 once, as the network is loaded, and not with every picture
const SETTINGS = { extra: { session: { disable_quant_qdq: "1" } } };
const sessions = {};

function session(name) {
  sessions[name] ??= ort.InferenceSession.create(new URL(`./models/${name}.onnx`, self.location).href, SETTINGS).catch((error) => {
    delete sessions[name]; // the network may be back at the next request
    throw error;
  });
  return sessions[name];
}

self.onmessage = async ({ data: { id, name, inputs } }) => {
  try {
    const net = await session(name);
    if (!inputs) return self.postMessage({ id });
    const feeds = {};
    for (const key of net.inputNames) feeds[key] = new ort.Tensor("float32", inputs[key].data, inputs[key].dims);
    const results = await net.run(feeds), outputs = {};
    for (const key of net.outputNames) outputs[key] = results[key].data;
    self.postMessage({ id, outputs });
  } catch (error) {
    self.postMessage({ id, error: String(error.message ?? error) });
  }
};
