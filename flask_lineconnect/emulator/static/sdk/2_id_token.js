// ID tokens, checked in the page as LINE's SDK does.

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

