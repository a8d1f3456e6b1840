// What liff.init() does: take credentials or a code, know the context, go where liff.state says.

/** What LINE's app hands to a page in the fragment, and where it is stored. */
const CREDENTIALS = {
  access_token: "accessToken",
  id_token: "IDToken",
  feature_token: "featureToken",
  mst_challenge: "mstChallenge",
  mst_verifier: "mstVerifier",
  msit: "msit",
  client_id: null,
  context_token: null,
};

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
    state.isReady = true;
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
  const hasCredentials = takeContext();
  const token = fragment.get("access_token") || recall("accessToken");
  if (!token || !(fragment.get("feature_token") || recall("featureToken"))) {
    const here = new URL(location.href);
    here.searchParams.set("liff.hback", "2");
    login({ redirectUri: here.href });
    throw liffError("INIT_FAILED", "Failed to parse feature_token or access_token");
  }
  const verified = await verifyAccessToken(token);
  if (verified.client_id !== channelId()) {
    login();
    throw liffError("INIT_FAILED", "Failed to verify access_token");
  }
  if (hasCredentials) takeCredentials();
  keepExpiry(verified.expires_in);
  const idToken = recall("IDToken");
  if (idToken && recall("clientId") && !recall("decodedIDToken")) {
    keep("decodedIDToken", await checkedClaims(idToken, { channelId: channelId(), token }));
  }
}

/** Store the context of the fragment; tell whether the fragment has credentials. */
function takeContext() {
  const contextToken = fragment.get("context_token");
  if (contextToken) keep("context", jsonOf(contextToken.split(".")[1]));
  const { liffId } = recall("context") || {};
  if (liffId && liffId !== state.liffId) throw liffError("INIT_FAILED", "Invalid LIFF ID");
  if (fragment.has("client_id")) keep("clientId", fragment.get("client_id"));
  return fragment.has("access_token");
}

/** Move the credentials from the address bar into the store. */
function takeCredentials() {
  Object.entries(CREDENTIALS).forEach(([name, key]) => {
    if (key && fragment.has(name)) keep(key, fragment.get(name));
  });
  const rest = new URLSearchParams(fragment);
  Object.keys(CREDENTIALS).forEach((name) => rest.delete(name));
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
  const attempt = recall("loginTmp");
  // Somebody's context is asked for at the login, and never again; nobody's each time.
  if (isLoggedIn()) return;
  if (query.has("code") && attempt) await exchangeCode(query, attempt.codeVerifier);
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

