/** The list of messages: days, senders, times, read marks and the last message's quick replies. */

import { act } from "./client.js";
import { byId } from "./dom.js";
import { dayOf } from "./page_data.js";
import { element } from "./dom.js";
import { now } from "./page_data.js";
import { renderMessage } from "./messages.js";
import { texts } from "./page_data.js";
import { timeOf } from "./page_data.js";
import { webAddress } from "./dom.js";

export class Chat {
  constructor({ perform }) {
    this.perform = perform;
    this.list = byId("messages");
    this.shown = new Set();
    this.lastDay = null;
    this.today = null;
    this.isAtEnd = true;
    this.lastTop = 0;
    // Images arrive late and the rich menu takes room: only scrolling up leaves the end.
    this.list.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.list;
      const isNear = scrollHeight - scrollTop - clientHeight < 40;
      this.isAtEnd = isNear || (this.isAtEnd && scrollTop >= this.lastTop);
      this.lastTop = scrollTop;
    });
    this.list.addEventListener("load", () => this.#stayAtEnd(), { capture: true });
    new ResizeObserver(() => this.#stayAtEnd()).observe(this.list);
  }

  update({ account, messages }) {
    const known = new Set(messages.map(({ id }) => id));
    // Taken back, or all of it gone with a reset.
    if ([...this.shown].some((id) => !known.has(id))) this.#clear();
    // What was written today was written yesterday by now.
    const today = now().toDateString();
    if (this.today !== today) this.#clear();
    this.today = today;
    byId("answering").hidden = !account?.is_answering;
    const isFirst = this.shown.size === 0;
    const fresh = messages.filter(({ id }) => !this.shown.has(id));
    fresh.forEach((entry) => this.#append(entry, { account, isFresh: !isFirst }));
    if (fresh.length === 0) return;
    this.#showQuickReplies(messages.at(-1));
    if (isFirst || this.isAtEnd || fresh.some(({ from }) => from === "user")) this.scrollToEnd();
  }

  scrollToEnd() {
    this.isAtEnd = true;
    this.#stayAtEnd();
  }

  #stayAtEnd() {
    if (this.isAtEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  #clear() {
    this.shown.clear();
    this.lastDay = null;
    this.list.replaceChildren();
    byId("quick-replies").hidden = true;
  }

  #append(entry, { account, isFresh }) {
    const day = dayOf(entry.at);
    if (day !== this.lastDay) this.list.append(element("p", { class: "day", text: day }));
    this.lastDay = day;
    this.shown.add(entry.id);
    const isOwn = entry.from === "user";
    const meta = [element("span", { text: timeOf(entry.at) })];
    if (isOwn && entry.read !== false) meta.unshift(element("span", { text: texts.read }));
    const line = element("div", { class: "line" }, [
      renderMessage({ ...entry.message, contentUrl: entry.content_url }, this.perform),
      element("span", { class: "meta" }, meta),
    ]);
    if (isOwn) line.append(takeBackButton(entry.id));
    const body = element("div", { class: "message-body" }, [line]);
    const item = element("div", { class: "message", "data-message-id": entry.id }, [body]);
    item.classList.toggle("own", isOwn);
    item.classList.toggle("fresh", isFresh);
    if (!isOwn) {
      const sender = entry.message.sender || {};
      const name = sender.name || account.display_name;
      const picture = webAddress(sender.iconUrl) || account.picture_url;
      body.prepend(element("p", { class: "sender", text: name }));
      item.prepend(element("img", { class: "avatar", src: picture, alt: "" }));
    }
    this.list.append(item);
  }

  /** Quick replies belong to the last message and go away with the next one. */
  #showQuickReplies({ from, message }) {
    const items = (from === "bot" && message.quickReply?.items) || [];
    const place = byId("quick-replies");
    place.hidden = items.length === 0;
    place.replaceChildren(...items.map(({ action, imageUrl }) => {
      const icon = webAddress(imageUrl);
      const content = [element("span", { text: action.label })];
      if (icon) content.unshift(element("img", { src: icon, alt: "" }));
      const press = () => {
        place.hidden = true;
        this.perform(action);
      };
      return element("button", { type: "button", on: { click: press } }, content);
    }));
  }
}

function takeBackButton(id) {
  const takeBack = () => act("unsend", { message_id: id }).catch(() => {});
  return element("button", {
    class: "take-back", type: "button", text: texts.take_back, on: { click: takeBack },
  });
}
