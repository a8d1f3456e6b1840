// The open point card: new points appear by themselves, on a pull and on return. The server has drawn
// it, so without this script it is only as fresh as its opening.

const WATCH_FOR = 600_000; // A card that nobody touches for ten minutes stops asking.
const ASK_EVERY = 5_000;
const PULL = 72; // CSS pixels, more than a careless swipe.

const main = document.querySelector("main");
const news = document.getElementById("news");
let source, timer, touchedAt = Date.now();

const card = () => document.getElementById("card");

/** Fetch this page with its own session, and put its card in place of ours. */
async function refresh() {
  const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const newer = page.getElementById("card");
  // No card any more: whoever holds the phone must be asked for anew.
  if (!newer) return location.reload();
  const older = card();
  const hasChanged = older.dataset.version !== newer.dataset.version;
  older.replaceWith(newer);
  if (!hasChanged) return;
  newer.classList.add("lc-changed");
  news.textContent = newer.dataset.updated;
  document.dispatchEvent(new Event("lc-points-changed"));
}

// Without a network the card stays as it is; the next look may find one.
const tryRefresh = () => refresh().catch(() => {});

function stop() {
  source?.close();
  clearInterval(timer);
}

/** Hear of changes over an event stream, or ask for them where the shop has no stream to spare. */
function watch() {
  stop();
  if (document.hidden) return;
  source = new EventSource(`${card().dataset.changesUrl}?since=${card().dataset.version}`);
  source.onmessage = tryRefresh;
  source.addEventListener("ended", () => location.reload());
  source.onerror = () => {
    if (isForgotten()) stop();
    else if (source.readyState === EventSource.CLOSED) timer = setInterval(ask, ASK_EVERY);
  };
}

const isForgotten = () => Date.now() - touchedAt > WATCH_FOR;

async function ask() {
  if (isForgotten()) return stop();
  try {
    const response = await fetch(card().dataset.changesUrl, { headers: { Accept: "application/json" } });
    if (response.status === 401) location.reload();
    else if (String((await response.json()).version) !== card().dataset.version) await refresh();
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
  addEventListener("touchend", (event) => {
    if (from !== null && pulled(event) > PULL) comeBack();
    move(0);
    from = null;
  });
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop() : comeBack()));
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => event.persisted && comeBack());
document.getElementById("refresh").addEventListener("click", (event) => {
  event.preventDefault();
  comeBack();
});
pullToRefresh();
watch();
stayOn();
if (document.getElementById("pay")) import("./pay.js");
