/** One line that says what was done, for as long as it takes to read. It is the page's one live region. */
import { useSyncExternalStore } from "react";

const SHOWN_MS = 6_000;
let line = "";
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

export function say(text: string): void {
  line = text;
  for (const listener of listeners) listener();
  clearTimeout(timer);
  if (text !== "") timer = setTimeout(() => say(""), SHOWN_MS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toast() {
  const text = useSyncExternalStore(subscribe, () => line);
  return (
    <div role="status" className={text === "" ? "hidden" : "toast"}>
      {text}
    </div>
  );
}
