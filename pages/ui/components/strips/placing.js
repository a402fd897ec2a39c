import { shelfOf } from "./shelf.js";

/*
 * Puts where a figure's threshold stands on the shelf; draws nothing. A script of its own, because with every change of
 * its message a component's script is sent again.
 */

export default function ({ data }) {
  if (!data) return;
  const shelf = shelfOf("standing");
  shelf.standing.set(data.key, data);
  shelf.dispatchEvent(new Event("shelved"));
}
