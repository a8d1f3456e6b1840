// Permanent links, permissions, plugins, and the object itself.

/** Return what follows the endpoint's path in an address below it, or null for one outside. */
function restBelow(endpointUrl, address) {
  const endpoint = new URL(endpointUrl);
  const url = new URL(address);
  const base = endpoint.pathname.replace(/\/$/, "");
  // An endpoint that ends with a slash is a folder: the same address without it is outside.
  const inside = url.pathname === endpoint.pathname || url.pathname.startsWith(`${base}/`);
  return url.origin === endpoint.origin && inside ? { url, path: url.pathname.slice(base.length) } : null;
}

/** Return the LIFF URL of a page, or null for one that is not below the endpoint. */
function linkTo(address) {
  const { endpointUrl } = recall("context");
  const found = restBelow(endpointUrl, address);
  if (!found) return null;
  const endpointNames = [...new URL(endpointUrl).searchParams.keys()];
  const { url, path } = found;
  [...url.searchParams.keys()]
    .filter((name) => name.startsWith("liff.") || endpointNames.includes(name))
    .forEach((name) => url.searchParams.delete(name));
  const rest = (path === "/" ? "" : path) + url.search + url.hash;
  return `${origin}/${state.liffId}${rest}`;
}

async function createUrlBy(address) {
  if (!state.liffId || !recall("context")) {
    throw liffError("INIT_FAILED", "Should run after liff init.");
  }
  const link = linkTo(address);
  if (!link) throw liffError("INVALID_ARGUMENT", "invalid URL.");
  return link;
}

function createUrl() {
  requireInit();
  const link = linkTo(location.href);
  if (!link) throw liffError("INVALID_CONFIG", "Current page is not under entrypoint.");
  return link;
}

async function permissionState(name) {
  if (!SCOPES.includes(name)) throw liffError("INVALID_ARGUMENT", "Unexpected permission name.");
  requireInit();
  if (!isInScope(name)) return { state: "unavailable" };
  const { scope } = await verifyAccessToken(requireToken());
  return { state: scope.split(" ").includes(name) ? "granted" : "prompt" };
}

async function grantedPermissions() {
  return (await verifyAccessToken(requireToken())).scope.split(" ");
}

async function requestAllPermissions() {
  requireInit();
  throw liffError("FORBIDDEN", "SkipChannelVerificationScreen is unavailable.");
}

/** What can be asked for; LINE's app alone has those that are never there. */
const APIS = {
  shareTargetPicker: () => isAllowed("shareTargetPicker"),
  scanCodeV2: () => isAllowed("scanCodeV2"),
  subwindowOpen: () => isAllowed("subwindowOpen"),
  requestFriendship: isLoggedIn,
  scanCode: () => false,
  multipleLiffTransition: () => false,
  createShortcutOnHomeScreen: () => false,
  iap: () => false,
};

function isApiAvailable(name) {
  if (name === "iap" && !state.inClient) return false;
  if (!Object.hasOwn(APIS, name)) throw liffError("INVALID_ARGUMENT", "Unexpected API name.");
  requireInit();
  return APIS[name]();
}

/** Tell whether the LIFF app has a feature and somebody is logged in who may use it. */
function isAllowed(name) {
  const { availability = {} } = recall("context") || {};
  return isLoggedIn() && Boolean(availability[name] && availability[name].permission);
}

function use(plugin, option) {
  if (!plugin || typeof plugin.install !== "function") return liff;
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
  const module = plugin.install(context, option);
  if (module !== undefined) liff[`$${plugin.name}`] = module;
  return liff;
}

const liff = {
  get id() { return state.liffId; },
  ready,
  init,
  use,
  isInClient: () => state.inClient,
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
  shareTargetPicker,
  scanCodeV2,
  isApiAvailable,
  isSubWindow: () => { if (!state.inClient) requireInit(); return false; },
  permanentLink: { createUrl, createUrlBy },
  permission: {
    query: permissionState,
    getGrantedAll: grantedPermissions,
    requestAll: requestAllPermissions,
  },
};
window.liff = liff;
