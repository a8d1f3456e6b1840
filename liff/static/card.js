// The open point card: new points appear by themselves, on a pull and on return.

import { confirmSession, renewSession } from "./session.js";

// Then a card that nobody touches stops asking.
const WATCH_FOR = 600_000;
const ASK_EVERY = 5_000;
// By then the server has noticed that this page's stream before is gone.
const FREED_AFTER = 2_500;
// CSS pixels, more than a careless swipe.
const PULL = 72;

const main = document.querySelector("main");
let source, timer, touchedAt = Date.now();

const find = (id) => document.getElementById(id);
const card = () => find("card");

/** Fetch this page anew with its own session. */
async function fetchPage() {
  const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  // A shop in trouble takes no card away.
  if (!response.ok) throw new Error(response.statusText);
  // Its styles are here already; their nonce is another one, and the browser would complain of it.
  const html = (await response.text()).replace(/<style[^]*?<\/style>/g, "");
  const page = new DOMParser().parseFromString(html, "text/html");
  // No card any more: whoever holds the phone must be asked for.
  if (page.getElementById("card")) confirmSession();
  else renewSession();
  return page;
}

async function refresh() {
  const newer = (await fetchPage()).getElementById("card");
  const older = card();
  if (!newer) return;
  // Another person logged in beside this page: codes, bars and tokens are all theirs to draw.
  if (older.dataset.holder !== newer.dataset.holder) return location.reload();
  const hasChanged = older.dataset.version !== newer.dataset.version;
  older.replaceWith(newer);
  if (!hasChanged) return;
  newer.classList.add("lc-changed");
  find("news").textContent = newer.dataset.updated;
  document.dispatchEvent(new Event("lc-points-changed"));
}

// Without a network the card stays as it is; the next look may find one.
const tryRefresh = () => refresh().catch(() => {});

function stop() {
  source?.close();
  clearInterval(timer);
}

/** Hear of changes, or ask for them where the shop has no stream to spare. */
function watch(hasWaited = false) {
  stop();
  if (document.hidden) return;
  const { changesUrl, version } = card().dataset;
  source = new EventSource(`${changesUrl}?since=${version}`);
  source.onopen = confirmSession;
  source.onmessage = () => showNews(version);
  source.addEventListener("ended", () => location.reload());
  source.onerror = () => {
    if (isForgotten()) stop();
    else if (source.readyState !== EventSource.CLOSED) return;
    else if (hasWaited) timer = setInterval(ask, ASK_EVERY);
    else timer = setTimeout(watch, FREED_AFTER, true);
  };
}

/** Show what has changed, and listen on; while the shop does not answer, try again a little later. */
async function showNews(since) {
  const heard = source;
  heard.close();
  await tryRefresh();
  // Somebody came back in the meantime.
  if (source !== heard) return;
  if (card().dataset.version !== since) watch();
  else timer = setTimeout(watch, ASK_EVERY);
}

const isForgotten = () => Date.now() - touchedAt > WATCH_FOR;

async function ask() {
  if (isForgotten()) return stop();
  try {
    const response = await fetch(card().dataset.changesUrl, { headers: { Accept: "application/json" } });
    if (response.status === 401) {
      stop();
      return renewSession();
    }
    const { version } = await response.json();
    confirmSession();
    if (String(version) !== card().dataset.version) await refresh();
  } catch {
    // The network is gone for a moment.
  }
}

/** A scanner needs a moment: the screen stays on where the browser can do that. */
const stayOn = () => navigator.wakeLock?.request("screen").catch(() => {});

function comeBack() {
  touchedAt = Date.now();
  tryRefresh();
  watch();
  stayOn();
}

function pullToRefresh() {
  let from = null;
  const pulled = (event) => Math.max(0, event.changedTouches[0].clientY - from);
  const move = (distance) => main.style.setProperty("--lc-pulled", `${distance / 2}px`);
  addEventListener("touchstart", (event) => {
    touchedAt = Date.now();
    from = scrollY <= 0 && event.touches.length === 1 ? event.touches[0].clientY : null;
  }, { passive: true });
  addEventListener("touchmove", (event) => from !== null && move(Math.min(pulled(event), 1.5 * PULL)), { passive: true });
  const letGo = () => {
    move(0);
    from = null;
  };
  addEventListener("touchend", (event) => {
    if (from !== null && pulled(event) > PULL) comeBack();
    letGo();
  });
  // The system took the finger: a call, a gesture of its own.
  addEventListener("touchcancel", letGo);
}

/** This card is a kept one: say of when, and look for the network. */
function showSaved(savedAt) {
  const notice = find("offline");
  // It was news when the card was kept.
  document.querySelector(".lc-said")?.remove();
  // The server's dates count Christian years in every language; browsers have another era for Thai.
  const locale = `${document.documentElement.lang}-u-ca-gregory`;
  const time = new Date(savedAt).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
  notice.textContent = notice.dataset.text.replace("{time}", time);
  notice.hidden = false;
  const look = () => awake().catch(() => {});
  addEventListener("online", look);
  look();
}

/** The network is back, be it slow: show the page that it brought. */
async function awake() {
  const { body } = await fetchPage();
  if (!document.body.dataset.savedAt) return;
  delete document.body.dataset.savedAt;
  document.body.dataset.csrfToken = body.dataset.csrfToken;
  main.replaceChildren(...body.querySelector("main").childNodes);
  live();
}

/** LINE's own browser has no service workers, and Firefox's ends at its start: they keep nothing. */
function keepOffline() {
  const { serviceWorker } = navigator;
  if (!serviceWorker || !window.cookieStore) return;
  // What came before the worker, or with the login, is fetched once more through it.
  if (!serviceWorker.controller) serviceWorker.addEventListener("controllerchange", tryRefresh, { once: true });
  else if (document.body.dataset.drawn !== undefined) tryRefresh();
  serviceWorker.register(find("offline").dataset.worker, { scope: location.pathname.replace(/\/$/, "") }).catch(() => {});
}

function live() {
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : comeBack()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => event.persisted && comeBack());
  find("refresh").addEventListener("click", (event) => {
    event.preventDefault();
    comeBack();
  });
  pullToRefresh();
  watch();
  keepOffline();
  if (find("pay")) import("./pay.js");
}

const { savedAt } = document.body.dataset;
if (savedAt) showSaved(savedAt);
else live();
stayOn();
