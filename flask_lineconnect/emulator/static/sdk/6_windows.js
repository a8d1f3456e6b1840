// What opens and closes windows, and what goes into the chat.

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
  if (tellPhone({ type: "liff.closeWindow" })) return;
  if (isLiffBrowser()) location.href = "liff://close";
  else window.close();
}

function openWindow(params) {
  const { url, external = false } = params || {};
  if (typeof url !== "string" || !url || typeof external !== "boolean") {
    throw liffError("INVALID_ARGUMENT", "Invalid parameters for liff.openWindow()");
  }
  if (tellPhone({ type: "liff.openWindow", url, external })) return;
  if (isLiffBrowser()) window.open(marked(url, external));
  else window.open(url, "_blank");
}

/** Return an address that tells LINE's app in which browser to open it. */
function marked(url, external) {
  const [, path, query = "", hash] = /^([^?#]*)(?:\?([^#]*))?(.*)$/s.exec(url);
  const mark = `is_liff_external_open_window=${external}`;
  return `${path}?${[mark, query].filter(Boolean).join("&")}${hash}`;
}

async function sendMessages(messages) {
  const token = await tokenWithScope("chat_message.write");
  checkMessages(messages);
  return call("/message/v3/share", { token, method: "POST", json: { messages } });
}

function checkMessages(messages) {
  if (!Array.isArray(messages) || messages.some((message) => !message || !message.type)) {
    throw liffError("INVALID_ARGUMENT", "Parameter 'messages' must be an array of { type, ... }");
  }
  if (messages.length < 1 || messages.length > 5) {
    throw liffError("INVALID_ARGUMENT", "Number of messages should be in range 1 to 5.");
  }
}
