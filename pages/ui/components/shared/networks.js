import { readMessage } from "./message.js";
import { Network, shelf } from "./decoder.js";

/* Puts the networks of a message on the shelf; draws nothing. */

const KEPT = 24; // networks, about 1 MB each: a visitor who trains again and again must not fill the browser

export default function ({ data }) {
  if (!data) return;
  const { scene, array } = readMessage(data);
  const { networks } = shelf();
  for (const { name, layers, ...network } of scene.networks) {
    if (networks.has(name)) continue;
    const numbers = layers.map(({ weights, biases }) => ({ weights: array(weights), biases: array(biases) }));
    networks.set(name, new Network({ ...network, layers: numbers }));
  }
  const needed = new Set(scene.networks.map(({ name }) => name));
  for (const name of networks.keys()) if (networks.size > KEPT && !needed.has(name)) networks.delete(name);
  shelf().dispatchEvent(new Event("shelved"));
}
