/** What can be sent beside text: stickers, pictures and other files, and the place where one is. */

import { act } from "./client.js";
import { byId } from "./dom.js";
import { element } from "./dom.js";
import { FACES } from "./stickers.js";
import { stickerPicture } from "./stickers.js";
import { texts } from "./page_data.js";

const MAX_BYTES = 1_500_000;
/** A tea shop's door in Tokyo: a desk has no place of its own. */
const HERE = { title: "こもれび堂", address: "東京都千代田区紀尾井町1-3", latitude: 35.67966, longitude: 139.73669 };

export class Attachments {
  constructor({ toast }) {
    this.toast = toast;
    this.sheet = byId("attachments");
    this.button = byId("attach");
    this.file = byId("attached-file");
    this.button.addEventListener("click", () => this.#show(this.sheet.hidden));
    document.addEventListener("click", (event) => {
      if (!this.sheet.contains(event.target) && !this.button.contains(event.target)) this.#show(false);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#show(false);
    });
    byId("attach-media").addEventListener("click", () => this.choose("image/*,video/*,audio/*"));
    byId("attach-file").addEventListener("click", () => this.choose(""));
    byId("attach-location").addEventListener("click", () => this.#send("location", HERE));
    this.file.addEventListener("change", () => this.#sendFile(this.file.files[0]));
    byId("attach-stickers").append(...FACES.map((_face, id) => element("button", {
      type: "button",
      "aria-label": `${texts.sticker} ${id + 1}`,
      on: { click: () => this.#send("sticker", { sticker_id: String(id) }) },
    }, [element("img", { src: stickerPicture(id), alt: "" })])));
  }

  /** Ask for a file; `camera` and `cameraRoll` actions do so too. */
  choose(accept) {
    this.file.accept = accept;
    this.file.value = "";
    this.file.click();
  }

  sendPlace() {
    this.#send("location", HERE);
  }

  async #sendFile(file) {
    if (!file) return;
    if (file.size > MAX_BYTES) {
      this.toast(texts.too_large);
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    const [family] = file.type.split("/");
    const kind = ["image", "video", "audio"].includes(family) && this.file.accept ? family : "file";
    this.#send(kind, { base64, type: file.type, name: file.name });
  }

  #send(kind, body) {
    this.#show(false);
    act(kind, body).catch(() => this.toast(texts.failed));
  }

  #show(isOpen) {
    this.sheet.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
  }
}
