/*
 * A changed setting changes the address of the page that one is on, which is no new page: without this, Back would undo
 * one move of a slider after the other instead of leading back to the page before. An address that a link got wrong, or
 * wrote in an older way, is put right in place for the same reason.
 */

export default function ({ data }) {
  const { history, location } = window;
  if (!history.settingsReplace) {
    history.settingsReplace = true;
    const push = history.pushState.bind(history);
    history.pushState = (state, title, url) => {
      const there = new URL(url ?? "", location.href);
      const same = ["origin", "pathname", "hash"].every((part) => there[part] === location[part]);
      (same ? history.replaceState.bind(history) : push)(state, title, url);
    };
  }
  const asked = (query) => new URLSearchParams(query).toString();
  if (data && asked(location.search) === asked(data.wrong)) {
    history.replaceState(history.state, "", `${location.pathname}${data.right && `?${data.right}`}${location.hash}`);
  }
}
