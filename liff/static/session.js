// What the opening page and the later pages share: get the SDK, start it, and exchange its ID token.

// The SDK itself waits up to 10 s for scripts that never answer.
const SDK_TIMEOUT = 15_000;
const SHOP_TIMEOUT = 10_000;
// Milliseconds between two looks at what the SDK has by now.
const GLANCE = 20;

// Asked for each time: the opening page may have become the card.
const page = () => document.body.dataset;

/** The token that the shop demands of scripts, under the name that it has there. */
export const csrf = () => ({ [page().csrfHeader ?? "X-CSRFToken"]: page().csrfToken });

/** An error whose name is one of the opening page's prepared sentences. */
export class Problem extends Error {
  constructor(kind, text = "") {
    super(text || kind);
    this.kind = kind;
    this.text = text;
  }
}

let blocked = false;
document.addEventListener("securitypolicyviolation", ({ disposition, blockedURI }) => {
  if (disposition !== "enforce" || !blockedURI.includes(":")) return;
  blocked = true;
  // Whatever adds a policy on the way must leave our pages out.
  console.error(`Content-Security-Policy keeps ${blockedURI} away`);
});

/** Something on the way to this page, such as a proxy, has given it a policy under which LINE can't work. */
export const isBlocked = () => blocked;

/** Load a script of LINE's; as an element of the page, a slow one would hold us up. */
export function loadScript(src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.nonce = document.querySelector("script[nonce]")?.nonce ?? "";
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

async function loadSdk() {
  await loadScript(page().liffSdk).catch(() => {});
  if (!window.liff) throw new Problem("sdk");
  return window.liff;
}

/** Start LIFF. With `liff.state` in the address the SDK leaves for another page and this never settles. */
export async function startLiff(hasEnough = () => false) {
  const liff = await within(SDK_TIMEOUT, loadSdk());
  try {
    const started = within(SDK_TIMEOUT, liff.init({ liffId: page().liffId }));
    const isLeaving = new URLSearchParams(location.search).has("liff.state");
    await (isLeaving ? started : untilEither(started, () => hasEnough(liff)));
  } catch (error) {
    if (error instanceof Problem) throw error;
    const cancelled = new URLSearchParams(location.search).get("error") === "access_denied";
    throw new Problem(cancelled ? "cancelled" : "line");
  }
  return liff;
}

/** Wait until the SDK is done, or shows what we need: it goes on to fetch words of its own. */
function untilEither(started, hasEnough) {
  let glances;
  const shown = new Promise((resolve) => {
    glances = setInterval(() => hasEnough() && resolve(), GLANCE);
  });
  return Promise.race([started, shown]).finally(() => clearInterval(glances));
}

/** Send the raw ID token and where we want to be; the shop alone decides who this is and where to go. */
export async function exchange(idToken, next, { draw = false } = {}) {
  // AbortSignal.timeout is younger than many phones.
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), SHOP_TIMEOUT);
  let response, answer;
  try {
    response = await fetch(page().sessionUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...csrf() },
      body: JSON.stringify({ id_token: idToken, next, draw }),
      signal: patience.signal,
    });
    answer = (await response.json().catch(() => null)) ?? {};
  } catch {
    throw new Problem("shop");
  } finally {
    clearTimeout(timer);
  }
  if (response.ok && answer.location) return answer;
  throw new Problem(response.status === 401 ? "stale" : "shop", answer.message);
}

/** Go where the shop says. */
export function follow(answer) {
  const target = addressOf(answer);
  const isHere = target.pathname + target.search === location.pathname + location.search;
  if (!isHere) return location.replace(target);
  history.replaceState(history.state, "", target);
  location.reload();
}

/** Return where the shop's answer leads: within the shop, and no credentials go along. */
export function addressOf(answer) {
  const target = new URL(answer.location, location.origin);
  if (target.origin !== location.origin) throw new Problem("shop");
  // LINE's, which the SDK is about to take out of the address, or what somebody else has written.
  if (!location.hash.includes("_token=")) target.hash = location.hash;
  return target;
}

/** The shop knows this session, so the browser keeps its cookie. */
export function confirmSession() {
  delete page().drawn;
  forget("redrawn");
}

/**
 * The session has ended: begin another. A card whose session the shop has never known since it was
 * drawn does so once: the browser does not keep the cookie, and would begin for ever.
 */
export function renewSession() {
  if (page().drawn === undefined || remember("redrawn")) location.reload();
}

/** This page's address without what LINE's login and LIFF have added to it. */
export function cleanAddress() {
  const address = new URL(location.href);
  const added = /^(code|state|error|error_description|friendship_status_changed|liff.*)$/;
  for (const name of [...address.searchParams.keys()]) {
    if (added.test(name)) address.searchParams.delete(name);
  }
  address.hash = "";
  return address;
}

/** Remember something until the window closes; false where the browser allows no storage. */
export function remember(what) {
  const key = `lineconnect:${what}:${page().liffId}`;
  try {
    if (sessionStorage.getItem(key)) return false;
    sessionStorage.setItem(key, "1");
    return true;
  } catch {
    return false;
  }
}

export function forget(what) {
  try {
    sessionStorage.removeItem(`lineconnect:${what}:${page().liffId}`);
  } catch {
    // Nothing was remembered either.
  }
}

function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Problem("slow")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
