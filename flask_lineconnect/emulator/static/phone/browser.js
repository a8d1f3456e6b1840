/** The in-app browser: a sheet with a frame; LIFF pages and the shop's pages open in it. */

import { act } from "./client.js";
import { addressThroughApp } from "./client.js";
import { byId } from "./dom.js";
import { element } from "./dom.js";
import { webAddress } from "./dom.js";

// Everything a page in an app may do, except to navigate the phone away. No browser shows a PDF in such
// a frame, so documents have frames without it: their viewer goes nowhere.
const SANDBOX = "allow-scripts allow-forms allow-same-origin allow-popups"
  + " allow-popups-to-escape-sandbox allow-modals allow-downloads";

const isDocument = (url) => /\.pdf$/i.test(new URL(url).pathname);

export class InAppBrowser {
  constructor({ closed, openChat }) {
    this.sheet = byId("browser");
    this.closed = closed;
    this.openChat = openChat;
    this.frame = null;
    /** The frame of a document that lies over the page. */
    this.document = null;
    /** Settles when LINE knows that the page before is closed: that ends its token, not the next one's. */
    this.lastClose = Promise.resolve();
    /** How much of the screen each LIFF app takes: compact, tall or full. */
    this.views = {};
    byId("browser-rest").addEventListener("click", () => this.close());
    byId("browser-close").addEventListener("click", () => this.close());
    byId("browser-back").addEventListener("click", () => this.back());
    window.addEventListener("message", (event) => this.#hear(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.frame) this.close();
    });
  }

  /** Open an address in a new frame; the name tells the SDK that this is another LIFF window. */
  open(url) {
    this.frame?.remove();
    this.document = null;
    this.frame = element("iframe", {
      name: `in-app-${Math.random().toString(36).slice(2)}`,
      sandbox: isDocument(url) ? undefined : SANDBOX,
      allow: "clipboard-write",
      title: new URL(url).host,
    });
    const { frame } = this;
    this.lastClose.then(() => this.#load(frame, url));
    this.pagesBehind = 0;
    this.historyLength = null;
    const liffId = new URL(url).pathname.split("/")[1];
    this.sheet.dataset.view = this.views[liffId] || "full";
    byId("browser-title").textContent = "";
    byId("browser-host").textContent = new URL(url).host;
    byId("browser-progress").hidden = false;
    byId("browser-page").replaceChildren(this.frame);
    this.sheet.classList.remove("leaving");
    this.sheet.hidden = false;
    byId("browser-close").focus({ preventScroll: true });
  }

  /** Lay a document over the page, which asked for it and waits below. */
  #openDocument(url) {
    this.document?.remove();
    this.document = element("iframe", { src: url, title: new URL(url).host });
    byId("browser-page").append(this.document);
  }

  #closeDocument() {
    this.document.remove();
    this.document = null;
  }

  #load(frame, url) {
    frame.addEventListener("load", () => this.#loaded());
    frame.src = addressThroughApp(url);
  }

  close() {
    if (!this.frame) return;
    if (this.document) this.#closeDocument();
    this.frame.remove();
    this.lastClose = act("close-liff").catch(() => {});
    this.frame = null;
    this.sheet.classList.add("leaving");
    setTimeout(() => {
      if (!this.frame) this.sheet.hidden = true;
    }, 200);
    this.closed();
  }

  /** Go one page back inside the frame, or close it on its first page. */
  back() {
    if (this.document) return this.#closeDocument();
    if (this.pagesBehind === 0) return this.close();
    this.pagesBehind -= 1;
    history.back();
  }

  // The frame is of another origin: the history that it shares with us tells how far it has gone.
  #loaded() {
    byId("browser-progress").hidden = true;
    byId("browser-title").textContent = "";
    if (this.historyLength !== null && history.length > this.historyLength) this.pagesBehind += 1;
    this.historyLength = history.length;
  }

  /** Hear the SDK stand-in and LINE's own pages inside the frame: what they ask for is the app's to do. */
  #hear(event) {
    if (!this.frame || event.source !== this.frame.contentWindow) return;
    const { type, title, url, external, text } = event.data || {};
    if (type === "liff.closeWindow") this.close();
    if (type === "liff.title") byId("browser-title").textContent = String(title || "");
    if (type === "liff.openWindow" && webAddress(url)) {
      if (external) window.open(url, "_blank", "noopener");
      else this.open(url);
    }
    if (type === "line.openDocument" && webAddress(url)) this.#openDocument(url);
    if (type === "line.openChat" && event.origin === location.origin) {
      this.close();
      this.openChat(String(text || ""));
    }
  }
}
