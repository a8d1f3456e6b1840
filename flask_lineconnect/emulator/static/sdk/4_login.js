// liff.login() and what belongs to it.

function login({ redirectUri } = {}) {
  if (!state.liffId) {
    throw liffError("INVALID_CONFIG", "You need to define `liffId` for liff.login()");
  }
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
  return recall("accessToken") !== null;
}

function logout() {
  requireInit();
  Object.keys(storage())
    .filter((key) => key.startsWith(`LIFF_STORE:${state.liffId}:`))
    .forEach((key) => storage().removeItem(key));
  document.cookie = `${expiryCookie()}=; path=/; expires=${new Date(0).toUTCString()}`;
}

