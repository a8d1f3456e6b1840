// Who somebody is, and in which browser.

function stored(name) {
  requireInit();
  return recall(name);
}

async function getProfile() {
  return call("/v2/profile", { token: await tokenWithScope("profile") });
}

async function getFriendship({ officialAccountId } = {}) {
  const query = officialAccountId ? `?officialAccountId=${encodeURIComponent(officialAccountId)}` : "";
  const token = await tokenWithScope("profile");
  if (officialAccountId !== undefined && !String(officialAccountId).startsWith("@")) {
    throw liffError("INVALID_ARGUMENT", 'officialAccountId must start with "@".');
  }
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

