import { shelfOf } from "./shelf.js";
import { readMessage, toNumbers } from "./message.js";

/* Puts the scene of a message on the shelf; draws nothing. */

const KEPT = 4; // scenes, about 60 KB each: there and back again

export default function ({ data }) {
  if (!data) return;
  const { scene, array } = readMessage(data);
  const shelf = shelfOf("scenes");
  if (!shelf.scenes.has(scene.digest)) {
    for (const part of ["at", "from", "to", "filled"]) scene[part] = array(scene[part]);
    for (const channel of scene.channels) {
      for (const part of ["measured", "rebuilt"])
        if (channel[part]) channel[part] = { ...channel[part], values: toNumbers(array(channel[part]), channel[part]) };
    }
    for (const part of ["line", "joined", "levels", "counts"]) if (scene.score) scene.score[part] = array(scene.score[part]);
    shelf.scenes.set(scene.digest, scene);
    for (const name of shelf.scenes.keys()) if (shelf.scenes.size > KEPT) shelf.scenes.delete(name);
  }
  shelf.dispatchEvent(new Event("shelved"));
}
