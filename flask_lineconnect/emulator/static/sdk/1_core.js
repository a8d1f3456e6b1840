// The parts of this folder are served as one script, in the order of their names, inside one function.
//
// Together they are a stand-in for LINE's LIFF SDK that talks to the emulator. It gives pages the
// `window.liff` that LINE's public reference describes, with the requests, storage keys and errors that
// were seen on the wire. Every LINE host is the origin this script came from. LINE's own SDK may not be
// redistributed and its hosts cannot be changed, so nothing here is taken from it; a test plays the same
// scenes with both and compares all that can be seen from outside.

const VERSION = "2.31.0";
const ISSUER = "https://access.line.me";
const SCOPES = ["openid", "profile", "email", "chat_message.write"];

const origin = new URL(document.currentScript.src).origin;
const fragment = new URLSearchParams(location.hash.slice(1));
const never = new Promise(() => {});
const hooks = { initBefore: [], initAfter: [], loginBefore: [] };
const state = { liffId: null, inClient: recallInClient(), isReady: false };
let finishInit;
const ready = new Promise((resolve) => { finishInit = resolve; });

// ---- errors --------------------------------------------------------------------------------------

function liffError(code, message, cause) {
  const error = new Error(message || "", cause === undefined ? undefined : { cause });
  error.code = code;
  return error;
}

function requireInit() {
  if (!state.liffId) throw liffError("INVALID_CONFIG", "liffId is necessary for liff.init()");
}

// ---- which browser, and its store ----------------------------------------------------------------

/** Decide once, at load, whether this is the LIFF browser.
 *
 * A desktop browser in the phone page cannot claim LINE's user agent: credentials in the fragment count
 * too. The phone names each of its windows; another name means another LIFF window, whose session the
 * tab still holds, so it is forgotten.
 */
function recallInClient() {
  const name = window.parent === window ? null : window.name;
  if (sessionStorage.getItem("line_emulator:window") !== name) {
    Object.keys(sessionStorage)
      .filter((key) => key.startsWith("LIFF_STORE:"))
      .forEach((key) => sessionStorage.removeItem(key));
    if (name !== null) sessionStorage.setItem("line_emulator:window", name);
  }
  const inClient = isLiffBrowser()
    || fragment.has("access_token")
    || sessionStorage.getItem("LIFF_STORE:isInClient") === "1";
  sessionStorage.setItem("LIFF_STORE:isInClient", inClient ? "1" : "0");
  return inClient;
}

function isLiffBrowser() {
  return /Line\/\d+\.\d+\.\d+ LIFF/.test(navigator.userAgent);
}

function storage() {
  return state.inClient ? sessionStorage : localStorage;
}

function storageKey(name) {
  return `LIFF_STORE:${state.liffId}:${name}`;
}

function recall(name) {
  const value = storage().getItem(storageKey(name));
  return value === null ? null : JSON.parse(value);
}

function keep(name, value) {
  if (value === undefined || value === null) storage().removeItem(storageKey(name));
  else storage().setItem(storageKey(name), JSON.stringify(value));
}

function expiryCookie() {
  return `LIFF_STORE:expires:${state.liffId}`;
}

function keepExpiry(seconds) {
  const at = new Date(Date.now() + seconds * 1000);
  document.cookie = `${expiryCookie()}=${at.getTime()}; path=/; expires=${at.toUTCString()}`;
}

function hasExpiryCookie() {
  return document.cookie.split("; ").some((pair) => pair.startsWith(`${expiryCookie()}=`));
}

// ---- LINE's servers ------------------------------------------------------------------------------

async function call(path, { token, method = "GET", json, form } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (json !== undefined) headers["content-type"] = "application/json";
  const body = form ? new URLSearchParams(form) : json === undefined ? undefined : JSON.stringify(json);
  const response = await fetch(origin + path, { method, headers, body, credentials: "omit" });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const code = answer.error || answer.errorCode || String(response.status);
    throw liffError(code, answer.error_description || answer.message || response.statusText);
  }
  return answer;
}

function verifyAccessToken(token) {
  return call(`/oauth2/v2.1/verify?access_token=${encodeURIComponent(token)}`);
}

function requireToken() {
  requireInit();
  const token = recall("accessToken");
  if (!token) {
    throw liffError("UNAUTHORIZED", "Need access_token for api call, Please login first");
  }
  return token;
}

function isInScope(scope) {
  return ((recall("context") || {}).scope || []).includes(scope);
}

/** Return the access token once the app may ask for a scope and LINE says that the user granted it. */
async function tokenWithScope(scope) {
  requireInit();
  if (!isInScope(scope)) throw liffError("FORBIDDEN", "The permission is not in LIFF app scope.");
  const token = requireToken();
  const { scope: granted } = await verifyAccessToken(token);
  if (!granted.split(" ").includes(scope)) {
    throw liffError("FORBIDDEN", "user doesn't grant required permissions yet");
  }
  return token;
}
