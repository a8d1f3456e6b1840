// Keeps the last card for a moment without a network, until its mark ends: see liff/offline.py.

const CARD = "lineconnect-card";
const ASSETS = "lineconnect-assets";
const MARK = "X-LineConnect-Card";
const SAVED_AT = "X-LineConnect-Saved-At";
// Then a kept card is better than none.
const PATIENCE = 4_000;

const cardPath = new URL(registration.scope).pathname;
const markName = new URL(location).searchParams.get("mark");
const isAsset = (path) => /\/static\/[0-9a-f]{12}\//.test(path);

// Firefox's workers have a store of cookies, and it is always empty: where no mark can be read nothing
// could ever be kept, and such a worker never starts.
addEventListener("install", (event) => event.waitUntil(currentMark().then((mark) => (mark ? skipWaiting() : Promise.reject()))));
addEventListener("activate", (event) => event.waitUntil(start()));
addEventListener("cookiechange", (event) => event.waitUntil(kept()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (isAsset(pathname)) event.respondWith(asset(request));
  else if (isCard(request)) event.respondWith(card(event));
  else if (request.mode === "navigate") event.respondWith(network(event));
});

async function start() {
  // The worker's start must not hold up the page; with it, every page's answer comes from here.
  await registration.navigationPreload?.enable();
  await registration.cookies?.subscribe([{ name: markName, url: registration.scope }]);
  await clients.claim();
}

/** The card, opened or fetched; addresses with LINE's parameters are the SDK's business. */
function isCard(request) {
  const { pathname, searchParams } = new URL(request.url);
  const isPage = request.headers.get("Accept")?.includes("text/html");
  const isOurs = !searchParams.has("liff.state") && !searchParams.has("code");
  return isPage && isOurs && pathname.replace(/\/$/, "") === cardPath;
}

const network = async (event) => (await event.preloadResponse) ?? fetch(event.request);
const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

async function card(event) {
  const answer = network(event).then((response) => {
    event.waitUntil(keep(response.clone()));
    return response;
  });
  if (event.request.mode !== "navigate") return answer;
  try {
    const early = await Promise.race([answer, pause(PATIENCE)]);
    return early ?? (await kept()) ?? (await answer);
  } catch {
    return (await kept()) ?? Response.error();
  }
}

/** Keep a marked answer; any other means that nobody's card is to be kept. */
async function keep(response) {
  if (response.status >= 500) return;
  const mark = response.headers.get(MARK);
  if (!mark || mark !== (await currentMark())) return forget();
  const headers = new Headers(response.headers);
  headers.set(SAVED_AT, new Date().toISOString());
  headers.delete("Content-Length");
  headers.delete("Content-Encoding");
  const html = await response.text();
  await keepAssets(html).catch(() => {});
  await (await caches.open(CARD)).put(cardPath, new Response(html, { headers }));
}

/** Keep the styles and scripts that stand in the page, and the module that all scripts share. */
async function keepAssets(html) {
  const cache = await caches.open(ASSETS);
  const found = [...html.matchAll(/"([^"]*)"/g)].map((match) => match[1]).filter(isAsset);
  const wanted = new Set(found.map((path) => new URL(path, location).href));
  for (const url of [...wanted]) if (url.endsWith(".js")) wanted.add(new URL("session.js", url).href);
  const old = await cache.keys();
  await Promise.all(old.filter(({ url }) => !wanted.has(url)).map((request) => cache.delete(request)));
  const here = new Set(old.map(({ url }) => url));
  await cache.addAll([...wanted].filter((url) => !here.has(url)));
}

/** Return the kept card with its time; one whose mark has ended is deleted instead. */
async function kept() {
  const response = await (await caches.open(CARD)).match(cardPath);
  if (!response) return null;
  if (response.headers.get(MARK) !== (await currentMark())) return forget();
  const savedAt = response.headers.get(SAVED_AT);
  const html = (await response.text()).replace("<body", `<body data-saved-at="${savedAt}"`);
  return new Response(html, { headers: response.headers });
}

const asset = async (request) => (await (await caches.open(ASSETS)).match(request)) ?? fetch(request);

async function forget() {
  await caches.delete(CARD);
  return null;
}

/** Without it, where workers can't read cookies, no card is kept. */
const currentMark = async () => (await self.cookieStore?.get(markName))?.value ?? null;
