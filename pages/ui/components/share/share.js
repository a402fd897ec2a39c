/*
 * The page's own address with a button that copies it. The address bar is where every control writes itself; reading it
 * here, in the browser, is never behind, also where only a part of the page was run again.
 */

const LOOK = 300; // ms between two looks at the address: history changes by script raise no event
const SAID = 2000; // ms for which "Copied" stays

export default function ({ parentElement }) {
  const field = parentElement.querySelector("input");
  const button = parentElement.querySelector("button");
  const status = parentElement.querySelector("[role=status]");
  const show = () => {
    if (field.value !== location.href) field.value = location.href;
  };
  show();
  const timer = setInterval(show, LOOK);
  field.onfocus = () => field.select();
  button.onclick = async () => {
    show();
    try {
      await navigator.clipboard.writeText(location.href);
      status.textContent = "Copied";
    } catch {
      field.select(); // no clipboard without HTTPS or permission: the text is ready for the keyboard's copy
      status.textContent = "Selected: press Ctrl+C or ⌘C";
    }
    setTimeout(() => (status.textContent = ""), SAID);
  };
  return () => clearInterval(timer);
}
