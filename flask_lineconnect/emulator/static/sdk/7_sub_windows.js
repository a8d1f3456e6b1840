// The share target picker and the scanner: windows of LINE's, which tell their answer to LINE's servers.

const SCANNER_ID = "1656359117-jxmx5e11";
const SCANNER_VIEW = {
  height: "full",
  closeButtonPosition: "right",
  closeButtonColor: "#000000",
  closeButtonLabel: "",
};
const POPUP = "width=480, height=640, menubar=no, toolbar=no, scrollbars=yes";

function wait(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Return the access token of a page that may use a feature. */
function tokenForFeature(name) {
  const token = requireToken();
  if (!isAllowed(name)) throw liffError("FORBIDDEN", `${name} is not allowed in this LIFF app`);
  return token;
}

/** Open an empty window at once, while the user's press still allows it; LINE's app needs none. */
function openPopup() {
  return isLiffBrowser() ? null : window.open("", "liffpopup", POPUP);
}

// ---- sharing -------------------------------------------------------------------------------------

async function shareTargetPicker(messages, { isMultiple = true } = {}) {
  const token = tokenForFeature("shareTargetPicker");
  if (!Array.isArray(messages) || messages.length < 1 || messages.length > 5) {
    throw liffError("INVALID_ARGUMENT", "no proper argument");
  }
  const popup = openPopup();
  try {
    const { ott } = await call(`/liff/v2/apps/${state.liffId}/ott`, { token });
    const data = JSON.stringify({
      messages,
      isMultiple,
      referrer: { liffId: state.liffId, url: location.origin },
    });
    openPicker(popup, { liffId: state.liffId, ott }, data);
    return await pickerResult(popup, new URLSearchParams({ liffId: state.liffId, ott }));
  } catch (error) {
    if (error.code === "EXCEPTION_IN_SUBWINDOW") throw error;
    throw liffError("EXCEPTION_IN_SUBWINDOW", error.message);
  } finally {
    if (popup) popup.close();
  }
}

function openPicker(popup, given, data) {
  if (isLiffBrowser()) {
    location.href = `line://picker?${new URLSearchParams({ ...given, data, closeModals: false })}`;
    return;
  }
  if (!popup) throw liffError("EXCEPTION_IN_SUBWINDOW", "");
  const query = new URLSearchParams(given);
  // In the fragment: messages can be longer than an address that a server takes.
  popup.location = `${origin}/oauth2/v2.1/liff/shareTargetPicker?${query}#${new URLSearchParams({ data })}`;
}

async function pickerResult(popup, query) {
  const path = `/oauth2/v2.1/liff/shareTargetPicker/result?${query}`;
  let isCancelled = false;
  for (;;) {
    const { result } = await call(path);
    if (result === "SUCCESS") return { status: "success" };
    if (result === "CANCEL") return undefined;
    if (popup && popup.closed && !isCancelled) {
      isCancelled = true;
      await call(path, { method: "POST", form: { result: "CANCEL" } });
    } else {
      await wait(500);
    }
  }
}

// ---- scanning ------------------------------------------------------------------------------------

async function scanCodeV2() {
  const token = tokenForFeature("scanCodeV2");
  const mstChallenge = recall("mstChallenge") || base64url(crypto.getRandomValues(new Uint8Array(24)));
  const popup = openPopup();
  if (!popup && !isLiffBrowser()) throw liffError("CREATE_SUBWINDOW_FAILED", "");
  try {
    const wanted = { mainLiffId: state.liffId, subLiffId: SCANNER_ID, mstChallenge, view: SCANNER_VIEW };
    const { msit } = await call("/liff/v2/sub/msit", { token, method: "POST", json: wanted });
    const asked = { token, method: "POST", json: { msit, mstChallenge } };
    if (popup) {
      popup.location = `${origin}/oauth2/v2.1/_scanner?${new URLSearchParams({ msit })}`;
      void cancelWhenClosed(popup, asked);
    } else {
      const url = `https://liff.line.me/${SCANNER_ID}`;
      location.href = `liff://subwindow?${new URLSearchParams({ url, msit })}`;
    }
    return { value: await scannerResult(asked) };
  } finally {
    if (popup) popup.close();
  }
}

/** Tell that nothing will be scanned; what was scanned before stays. */
async function cancelWhenClosed(popup, asked) {
  while (!popup.closed) await wait(500);
  await call("/liff/v2/sub/_cancel", asked).catch(() => {});
}

async function scannerResult(asked) {
  for (;;) {
    const { status, result } = await call("/liff/v2/sub/waitResult", asked);
    if (status === "submit") return result.message;
    if (status === "cancel" || status === "close") return null;
    if (status !== "error") throw liffError("UNKNOWN", "Some error happened in the server");
    await wait(1000);
  }
}
