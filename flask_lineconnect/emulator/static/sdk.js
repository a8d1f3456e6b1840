/* A stand-in for LINE's LIFF SDK that talks to the emulator.
 *
 * It gives pages the `window.liff` that LINE's public reference describes, with the requests, storage
 * keys and errors that were seen on the wire. Every LINE host is the origin this script came from. LINE's
 * own SDK may not be redistributed and its hosts cannot be changed, so nothing here is taken from it.
 */
(() => {
  "use strict";

  const VERSION = "2.31.0";
  const ISSUER = "https://access.line.me";
  const CREDENTIALS = [
    "access_token", "id_token", "context_token", "feature_token", "client_id",
    "mst_verifier", "mst_challenge", "msit",
  ];
  const SCOPES = ["openid", "profile", "email", "chat_message.write"];
  // What `isApiAvailable` can be asked about.
  const APIS = [
    "shareTargetPicker", "scanCode", "scanCodeV2", "multipleLiffTransition", "subwindowOpen",
    "createShortcutOnHomeScreen", "requestFriendship", "iap",
  ];

  const origin = new URL(document.currentScript.src).origin;
  const fragment = new URLSearchParams(location.hash.slice(1));
  const never = new Promise(() => {});
  const hooks = { initBefore: [], initAfter: [], loginBefore: [] };
  const state = { liffId: null, inClient: recallInClient() };
  let finishInit;
  const ready = new Promise((resolve) => { finishInit = resolve; });

  // ---- errors ------------------------------------------------------------------------------------

  function liffError(code, message, cause) {
    const error = new Error(message || "", cause === undefined ? undefined : { cause });
    error.code = code;
    return error;
  }

  function requireInit() {
    if (!state.liffId) throw liffError("INVALID_CONFIG", "liffId is necessary for liff.init()");
  }

  // ---- which browser, and its store --------------------------------------------------------------

  /** Decide once, at load, whether this is the LIFF browser.
   *
   * A desktop browser in the phone page cannot claim LINE's user agent: credentials in the fragment count
   * too. The phone names each of its windows; another name means another LIFF window, whose session the
   * tab still holds, so it is forgotten.
   */
  function recallInClient() {
    if (sessionStorage.getItem("line_emulator:window") !== window.name) {
      Object.keys(sessionStorage)
        .filter((key) => key.startsWith("LIFF_STORE:"))
        .forEach((key) => sessionStorage.removeItem(key));
      sessionStorage.setItem("line_emulator:window", window.name);
    }
    const inClient = /Line\/\d+\.\d+\.\d+ LIFF/.test(navigator.userAgent)
      || fragment.has("access_token")
      || sessionStorage.getItem("LIFF_STORE:isInClient") === "1";
    sessionStorage.setItem("LIFF_STORE:isInClient", inClient ? "1" : "0");
    return inClient;
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

  // ---- LINE's servers ----------------------------------------------------------------------------

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

  function requireAppScope(scope) {
    requireInit();
    if (!(recall("context")?.scope || []).includes(scope)) {
      throw liffError("FORBIDDEN", "The permission is not in LIFF app scope.");
    }
  }

  /** Return the access token once LINE says that it still carries a scope. */
  async function tokenWithScope(scope) {
    requireAppScope(scope);
    const token = requireToken();
    const { scope: granted } = await verifyAccessToken(token);
    if (!granted.split(" ").includes(scope)) {
      throw liffError("FORBIDDEN", "user doesn't grant required permissions yet");
    }
    return token;
  }

  // ---- tokens ------------------------------------------------------------------------------------

  function bytesOf(base64url) {
    const binary = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  }

  function base64url(bytes) {
    return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function jsonOf(part) {
    return JSON.parse(new TextDecoder().decode(bytesOf(part)));
  }

  async function hasValidSignature(idToken, jwk) {
    const [header, payload, signature] = idToken.split(".");
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, bytesOf(signature), signed);
  }

  /** Check an ID token as LINE's SDK does, and return its claims. */
  async function checkedClaims(idToken, { channelId, token }) {
    const invalid = (what) => liffError("INVALID_ID_TOKEN", `Invalid ${what} in ID_TOKEN`);
    const [header, claims] = idToken.split(".").slice(0, 2).map(jsonOf);
    const { keys } = await call("/oauth2/v2.1/certs", { token });
    const jwk = keys.find((key) => key.kid === header.kid);
    if (!jwk) throw invalid('"kid" value');
    if (header.alg !== "ES256") throw invalid('"alg" value');
    if (!(await hasValidSignature(idToken, jwk))) throw invalid("signature");
    if (claims.iss !== ISSUER) throw invalid('"iss" value');
    if (claims.aud !== channelId) throw invalid('"aud" value');
    if (claims.exp * 1000 <= Date.now()) throw invalid('"exp" value');
    return claims;
  }

  function channelId() {
    return state.liffId.split("-")[0];
  }

  // ---- init --------------------------------------------------------------------------------------

  async function init(config, succeeded, failed) {
    try {
      if (!config.liffId) {
        throw liffError("INVALID_CONFIG", "liffId is necessary for liff.init()");
      }
      state.liffId = config.liffId;
      await Promise.all(hooks.initBefore.map((hook) => hook()));
      if (state.inClient) await initInClient();
      else await initExternal();
      await secondaryRedirect();
      if (!state.inClient && config.withLoginOnExternalBrowser && !isLoggedIn()) {
        login();
        await never;
      }
      warnOutsideEndpoint();
      await Promise.all(hooks.initAfter.map((hook) => hook()));
    } catch (error) {
      if (failed) failed(error);
      throw error;
    }
    tellTitle();
    finishInit();
    if (succeeded) succeeded();
  }

  async function initInClient() {
    if (fragment.has("access_token")) takeCredentials();
    const token = recall("accessToken");
    if (!token || !recall("context")) {
      const here = new URL(location.href);
      here.searchParams.set("liff.hback", "2");
      login({ redirectUri: here.href });
      throw liffError("INIT_FAILED", "Failed to parse feature_token or access_token");
    }
    if (recall("context").liffId !== state.liffId) throw liffError("INIT_FAILED", "Invalid LIFF ID");
    const verified = await verifyAccessToken(token).catch(() => ({}));
    if (verified.client_id !== channelId()) {
      login();
      throw liffError("INIT_FAILED", "Failed to verify access_token");
    }
    keepExpiry(verified.expires_in);
    const idToken = recall("IDToken");
    if (idToken && fragment.has("client_id")) {
      keep("decodedIDToken", await checkedClaims(idToken, { channelId: channelId(), token }));
    }
  }

  /** Move the credentials from the address bar into the store. */
  function takeCredentials() {
    keep("accessToken", fragment.get("access_token"));
    keep("IDToken", fragment.get("id_token"));
    keep("decodedIDToken", null);
    keep("featureToken", fragment.get("feature_token"));
    keep("clientId", fragment.get("client_id"));
    keep("mstChallenge", fragment.get("mst_challenge"));
    const contextToken = fragment.get("context_token");
    keep("context", contextToken && jsonOf(contextToken.split(".")[1]));
    const rest = new URLSearchParams(fragment);
    CREDENTIALS.forEach((name) => rest.delete(name));
    const hash = rest.size ? `#${rest}` : "";
    history.replaceState(history.state, "", location.pathname + location.search + hash);
  }

  async function initExternal() {
    const query = new URLSearchParams(location.search);
    if (query.has("error") && query.has("liffOAuth2Error")) {
      const reason = `${query.get("error")}: ${query.get("error_description")}`;
      throw liffError("INIT_FAILED", reason);
    }
    if (recall("accessToken") && !hasExpiryCookie()) logout();
    // A login that goes on keeps the context that it began with.
    if (isLoggedIn() && recall("context")) return;
    const attempt = recall("loginTmp");
    if (query.has("code") && attempt && !isLoggedIn()) await exchangeCode(query, attempt.codeVerifier);
    const token = recall("accessToken") || undefined;
    const path = `/liff/v2/apps/${encodeURIComponent(state.liffId)}/contextToken`;
    const { contextToken } = await call(path, { token });
    keep("context", jsonOf(contextToken.split(".")[1]));
  }

  async function exchangeCode(query, codeVerifier) {
    const clientId = query.get("liffClientId");
    keep("loginTmp", null);
    const tokens = await call("/oauth2/v2.1/token", {
      method: "POST",
      form: {
        grant_type: "authorization_code",
        client_id: clientId,
        appId: state.liffId,
        code: query.get("code"),
        code_verifier: codeVerifier,
        redirect_uri: query.get("liffRedirectUri"),
        id_token_key_type: "JWK",
      },
    });
    keep("accessToken", tokens.access_token);
    keep("IDToken", tokens.id_token);
    keep("clientId", clientId);
    keepExpiry(tokens.expires_in);
    if (tokens.id_token) {
      const expected = { channelId: channelId(), token: tokens.access_token };
      keep("decodedIDToken", await checkedClaims(tokens.id_token, expected));
    }
  }

  /** Go from the endpoint URL with `liff.state` to the page that the LIFF URL named. */
  async function secondaryRedirect() {
    const wanted = new URLSearchParams(location.search).get("liff.state");
    if (wanted === null) return;
    const context = recall("context");
    if (!context || !context.endpointUrl || !context.permanentLinkPattern) {
      throw liffError("INIT_FAILED", "Failed to resolve liff.state");
    }
    location.replace(joinState(context.endpointUrl, wanted));
    await never;
  }

  function joinState(endpointUrl, wanted) {
    const endpoint = new URL(endpointUrl);
    const [, path, query, hash] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(wanted);
    const slash = path && !path.startsWith("/") ? "/" : "";
    const joined = (endpoint.pathname + slash + path).replace(/\/{2,}/g, "/");
    const queries = [endpoint.search.slice(1), query].filter(Boolean).join("&");
    return endpoint.origin + joined + (queries ? `?${queries}` : "") + (hash || "");
  }

  function warnOutsideEndpoint() {
    const context = recall("context");
    if (context && context.endpointUrl && !restBelow(context.endpointUrl, location.href)) {
      console.warn(`liff.init() was called outside the endpoint URL ${context.endpointUrl}`);
    }
  }

  // ---- login -------------------------------------------------------------------------------------

  function login({ redirectUri } = {}) {
    requireInit();
    hooks.loginBefore.forEach((hook) => hook());
    void goToAuthorize(redirectUri);
  }

  async function goToAuthorize(redirectUri) {
    const codeVerifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier));
    keep("loginTmp", { codeVerifier });
    const query = new URLSearchParams({
      app_id: state.liffId,
      state: base64url(crypto.getRandomValues(new Uint8Array(24))).replace(/[-_]/g, "").slice(0, 12),
      response_type: "code",
      code_challenge_method: "S256",
      code_challenge: base64url(new Uint8Array(digest)),
      liff_sdk_version: VERSION,
    });
    if (redirectUri) query.set("redirect_uri", redirectUri);
    location.href = `${origin}/liff/v1/authorize?${query}`;
  }

  function isLoggedIn() {
    requireInit();
    return recall("accessToken") !== null && (state.inClient || hasExpiryCookie());
  }

  function logout() {
    requireInit();
    Object.keys(storage())
      .filter((key) => key.startsWith(`LIFF_STORE:${state.liffId}:`))
      .forEach((key) => storage().removeItem(key));
    document.cookie = `${expiryCookie()}=; path=/; expires=${new Date(0).toUTCString()}`;
  }

  // ---- who and where -----------------------------------------------------------------------------

  function stored(name) {
    requireInit();
    return recall(name);
  }

  async function getProfile() {
    return call("/v2/profile", { token: await tokenWithScope("profile") });
  }

  async function getFriendship({ officialAccountId } = {}) {
    const token = await tokenWithScope("profile");
    if (officialAccountId !== undefined && !String(officialAccountId).startsWith("@")) {
      throw liffError("INVALID_ARGUMENT", 'officialAccountId must start with "@".');
    }
    const query = officialAccountId ? `?officialAccountId=${encodeURIComponent(officialAccountId)}` : "";
    const { friendFlag } = await call(`/friendship/v1/status${query}`, { token });
    return { friendFlag };
  }

  function getOS() {
    if (/iPhone|iPad|iPod/.test(navigator.userAgent)) return "ios";
    return /Android/.test(navigator.userAgent) ? "android" : "web";
  }

  function getLineVersion() {
    const found = /Line\/(\d+\.\d+\.\d+)/.exec(navigator.userAgent);
    return found && found[1];
  }

  // ---- windows and messages ----------------------------------------------------------------------

  /** Tell the phone page around us, if there is one; it plays the part of the LINE app. */
  function tellPhone(message) {
    if (window.parent === window) return false;
    window.parent.postMessage(message, origin);
    return true;
  }

  /** Give the phone this page's title; it forgets titles whenever a page has loaded. */
  function tellTitle() {
    const tell = () => tellPhone({ type: "liff.title", title: document.title });
    if (document.readyState === "complete") tell();
    else window.addEventListener("load", () => setTimeout(tell));
  }

  function closeWindow() {
    if (!tellPhone({ type: "liff.closeWindow" })) window.close();
  }

  function openWindow(params) {
    const { url, external = false } = params || {};
    if (typeof url !== "string" || !url || typeof external !== "boolean") {
      throw liffError("INVALID_ARGUMENT", "Invalid parameters for liff.openWindow()");
    }
    if (!tellPhone({ type: "liff.openWindow", url, external })) window.open(url, "_blank", "noopener");
  }

  async function sendMessages(messages) {
    const token = await tokenWithScope("chat_message.write");
    if (!Array.isArray(messages) || messages.some((message) => !message || !message.type)) {
      throw liffError("INVALID_ARGUMENT", "Parameter 'messages' must be an array of { type, ... }");
    }
    if (messages.length < 1 || messages.length > 5) {
      throw liffError("INVALID_ARGUMENT", "Number of messages should be in range 1 to 5.");
    }
    return call("/message/v3/share", { token, method: "POST", json: { messages } });
  }

  // ---- links, permissions, plugins ---------------------------------------------------------------

  /** Return what follows the endpoint's path in an address below it, or null for one outside. */
  function restBelow(endpointUrl, address) {
    const endpoint = new URL(endpointUrl);
    const url = new URL(address);
    const base = endpoint.pathname.replace(/\/$/, "");
    const inside = url.pathname === base || url.pathname.startsWith(`${base}/`);
    return url.origin === endpoint.origin && inside ? { url, path: url.pathname.slice(base.length) } : null;
  }

  function linkTo(address, refusal) {
    const { endpointUrl } = recall("context") || {};
    if (!endpointUrl) throw liffError("INIT_FAILED", "The endpoint URL is not known before liff.init()");
    const found = restBelow(endpointUrl, address);
    if (!found) throw refusal;
    const endpointNames = [...new URL(endpointUrl).searchParams.keys()];
    const { url, path } = found;
    [...url.searchParams.keys()]
      .filter((name) => name.startsWith("liff.") || endpointNames.includes(name))
      .forEach((name) => url.searchParams.delete(name));
    const rest = (path === "/" ? "" : path) + url.search + url.hash;
    return `${origin}/${state.liffId}${rest}`;
  }

  async function permissionState(name) {
    if (!SCOPES.includes(name)) throw liffError("INVALID_ARGUMENT", "Unexpected permission name.");
    requireInit();
    if (!(recall("context").scope || []).includes(name)) return { state: "unavailable" };
    const { scope } = await verifyAccessToken(requireToken());
    return { state: scope.split(" ").includes(name) ? "granted" : "prompt" };
  }

  function isApiAvailable(name) {
    if (!APIS.includes(name)) throw liffError("INVALID_ARGUMENT", "Unexpected API name.");
    if (name === "iap") return false;
    requireInit();
    const api = name === "requestFriendship" ? "subwindowOpen" : name;
    return isLoggedIn() && Boolean(recall("context")?.availability?.[api]?.permission);
  }

  function use(plugin, option) {
    if (!plugin || typeof plugin.name !== "string" || typeof plugin.install !== "function") {
      throw liffError("INVALID_ARGUMENT", "A plugin needs a name and install()");
    }
    const context = {
      liff,
      hooks: {
        init: {
          before: (hook) => hooks.initBefore.push(hook),
          after: (hook) => hooks.initAfter.push(hook),
        },
        login: { before: (hook) => hooks.loginBefore.push(hook) },
      },
    };
    liff[`$${plugin.name}`] = plugin.install(context, option);
    return liff;
  }

  const liff = {
    get id() { return state.liffId; },
    ready,
    init,
    use,
    isInClient: () => state.inClient,
    isSubWindow: () => { requireInit(); return /LIFF\/SubWindow/.test(navigator.userAgent); },
    isLoggedIn,
    login,
    logout,
    getAccessToken: () => stored("accessToken"),
    getIDToken: () => stored("IDToken"),
    getDecodedIDToken: () => stored("decodedIDToken"),
    getContext: () => stored("context"),
    getProfile,
    getFriendship,
    getOS,
    getLanguage: () => navigator.language,
    getAppLanguage: () => navigator.language,
    getVersion: () => VERSION,
    getLineVersion,
    closeWindow,
    openWindow,
    sendMessages,
    isApiAvailable,
    permanentLink: {
      createUrlBy: async (url) => {
        if (!state.liffId) throw liffError("INIT_FAILED", "Should run after liff init.");
        return linkTo(new URL(url).href, liffError("INVALID_ARGUMENT", "invalid URL."));
      },
      createUrl: () => {
        requireInit();
        const refusal = liffError("INVALID_CONFIG", "Current page is not under entrypoint.");
        return linkTo(location.href, refusal);
      },
    },
    permission: {
      query: permissionState,
      getGrantedAll: async () => (await verifyAccessToken(requireToken())).scope.split(" "),
      requestAll: async () => {
        requireInit();
        throw liffError("FORBIDDEN", "SkipChannelVerificationScreen is unavailable.");
      },
    },
  };
  window.liff = liff;
})();
