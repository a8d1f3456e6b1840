/** The phone's line to the emulator: its state, what the user does, and a signal when anything changes. */

import { userId } from "./page_data.js";

const base = `/phone/${encodeURIComponent(userId)}`;

export async function fetchState() {
  const response = await fetch(`${base}/state`, { cache: "no-store" });
  if (!response.ok) throw new Error(`state: ${response.status}`);
  return response.json();
}

/** Do one thing as the user: send, postback, friend, block, unblock, read. */
export async function act(what, body = {}) {
  const response = await fetch(`${base}/${what}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${what}: ${response.status}`);
}

/** Call back now and after every change. Hidden tabs let go: a browser keeps six connections to a host. */
export function watch(changed) {
  let events = null;

  function follow() {
    events?.close();
    events = null;
    if (document.hidden) return;
    events = new EventSource(`${base}/events`);
    events.addEventListener("open", changed);
    events.addEventListener("changed", changed);
  }

  document.addEventListener("visibilitychange", follow);
  follow();
}

export const addressThroughApp = (url) => `${base}/open?url=${encodeURIComponent(url)}`;
