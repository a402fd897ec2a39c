/*
 * Shelves: things by name, for every component on the page. What is large travels in a message of its own, so that a
 * figure may change what it shows without all of it travelling again.
 */

/** The page's shelf of one `kind`: its Map under that name; it fires "shelved" when something was put there. */
export function shelfOf(kind) {
  const place = Symbol.for(`aecore.${kind}`);
  globalThis[place] ??= Object.assign(new EventTarget(), { [kind]: new Map() });
  return globalThis[place];
}
