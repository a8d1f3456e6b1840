/** The bottom of the chat: the text field, the chat bar, and the rich menu between which one switches. */

import { act } from "./client.js";
import { areaButtons } from "./areas.js";
import { byId } from "./dom.js";
import { element } from "./dom.js";
import { texts } from "./page_data.js";

export class Composer {
  constructor({ toast, perform }) {
    this.perform = perform;
    this.menu = null;
    this.isTyping = false;
    this.isOpen = false;
    this.field = byId("text");
    byId("keyboard-button").addEventListener("click", () => this.#switchKeyboard());
    byId("chat-bar").addEventListener("click", () => this.#show({ isOpen: !this.isOpen }));
    byId("composer").addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = this.field.value.trim();
      if (!text) return;
      this.field.value = "";
      await act("send", { text }).catch(() => {
        this.field.value = text;
        toast(texts.failed);
      });
    });
  }

  /** Take over the state's rich menu; a new one opens itself when it is selected by default. */
  update(menu) {
    if (menu?.id === this.menu?.id) return;
    this.menu = menu;
    const place = byId("rich-menu");
    place.replaceChildren();
    if (menu) {
      const { w, h } = menu.size;
      place.style.setProperty("aspect-ratio", `${w} / ${h}`);
      place.append(
        element("img", { src: menu.image_url, alt: "", draggable: "false" }),
        ...areaButtons(menu.areas, { w, h }, this.perform),
      );
      byId("chat-bar").textContent = menu.chat_bar_text || texts.rich_menu;
    }
    this.#show({ isOpen: Boolean(menu?.selected), isTyping: !menu });
  }

  /** Obey a postback's wish about the rich menu and the keyboard. */
  follow({ inputOption, fillInText }) {
    if (inputOption === "closeRichMenu") this.#show({ isOpen: false });
    if (inputOption === "openRichMenu") this.#show({ isOpen: true, isTyping: false });
    if (inputOption === "openKeyboard") this.type(fillInText);
  }

  /** Open the keyboard, perhaps with a text that is not sent yet. */
  type(text) {
    this.#show({ isOpen: false, isTyping: true });
    if (text) this.field.value = text;
    this.field.focus();
  }

  #switchKeyboard() {
    const isTyping = !this.isTyping;
    this.#show({ isTyping, isOpen: !isTyping });
    if (isTyping) this.field.focus();
  }

  #show({ isOpen = this.isOpen, isTyping = this.isTyping }) {
    this.isOpen = Boolean(this.menu) && isOpen;
    this.isTyping = !this.menu || isTyping;
    byId("rich-menu").hidden = !this.isOpen;
    byId("keyboard-button").hidden = !this.menu;
    byId("keyboard-button").setAttribute("aria-pressed", String(this.isTyping));
    byId("chat-bar").hidden = this.isTyping;
    byId("chat-bar").setAttribute("aria-expanded", String(this.isOpen));
    byId("composer-field").hidden = !this.isTyping;
  }
}
