/** Start the phone: make its parts, then follow the emulator's state. */

import { AccountBar } from "./account_bar.js";
import { Attachments } from "./attachments.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { InAppBrowser } from "./browser.js";
import { Picker } from "./picker.js";
import { act } from "./client.js";
import { actionPerformer } from "./actions.js";
import { byId } from "./dom.js";
import { fetchState } from "./client.js";
import { now } from "./page_data.js";
import { setClock } from "./page_data.js";
import { showTalks } from "./talk_list.js";
import { texts } from "./page_data.js";
import { timeOf } from "./page_data.js";
import { watch } from "./client.js";

let toastTimer;

function toast(text) {
  byId("toast").textContent = text;
  byId("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { byId("toast").hidden = true; }, 2500);
}

const browser = new InAppBrowser({ closed: refresh, openChat });
// The composer's menu performs actions, and an action may speak to the composer.
const perform = (action) => performWithParts(action);
const composer = new Composer({ toast, perform });
const parts = { attachments: new Attachments({ toast }), browser, composer, picker: new Picker({ toast }), toast };
const performWithParts = actionPerformer(parts);
const chat = new Chat({ perform });
const accountBar = new AccountBar({ toast });

/** Show the chat with a text typed in, as LINE's URL scheme does. */
function openChat(text) {
  showScreen("chat");
  composer.type(text);
}

let isFetching = false;
let isStale = false;

/** Fetch and show the state; changes that arrive meanwhile cost one more round, not many. */
async function refresh() {
  if (isFetching) {
    isStale = true;
    return;
  }
  isFetching = true;
  do {
    isStale = false;
    try {
      show(await fetchState());
    } catch {
      toast(texts.offline);
    }
  } while (isStale);
  isFetching = false;
}

let state;

function show(next) {
  state = next;
  setClock(state.clock);
  tick();
  showTalks(state, { open: () => showScreen("chat") });
  accountBar.update(state.account, state.app);
  browser.views = state.liff_views;
  composer.update(state.account?.relation === "friend" ? state.rich_menu : null);
  chat.update(state);
  markRead();
  byId("phone").dataset.ready = "true";
}

function markRead() {
  if (state?.account?.unread && !byId("chat").hidden) act("read").catch(() => {});
}

/** Show one screen and remember it in the address, so that a reload comes back to it. */
function showScreen(name) {
  byId("talk-list").hidden = name === "chat";
  byId("chat").hidden = name !== "chat";
  history.replaceState(null, "", name === "chat" ? "#chat" : location.pathname);
  if (name === "chat") chat.scrollToEnd();
  markRead();
}

function tick() {
  byId("clock").textContent = timeOf(now());
}

const addressedScreen = () => (location.hash === "#chat" ? "chat" : "talks");

byId("to-talks").addEventListener("click", () => showScreen("talks"));
window.addEventListener("hashchange", () => showScreen(addressedScreen()));
showScreen(addressedScreen());
tick();
setInterval(tick, 10_000);
watch(refresh);
