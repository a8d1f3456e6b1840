/** The talk list: the official account with its last message and the number of unread ones. */

import { byId } from "./dom.js";
import { dayOf } from "./page_data.js";
import { element } from "./dom.js";
import { texts } from "./page_data.js";
import { timeOf } from "./page_data.js";

export function showTalks({ account, messages }, { open }) {
  if (!account) return byId("talks").replaceChildren();
  const last = messages.at(-1);
  const side = [];
  if (last) {
    const day = dayOf(last.at);
    side.push(element("span", { text: day === texts.today ? timeOf(last.at) : day }));
  }
  if (account.unread) {
    const label = `${texts.unread} ${account.unread}`;
    side.push(element("span", { class: "unread", text: account.unread, "aria-label": label }));
  }
  const talk = element("button", { class: "talk", type: "button", on: { click: open } }, [
    element("img", { class: "avatar", src: account.picture_url, alt: "" }),
    element("span", { class: "talk-text" }, [
      element("span", { class: "talk-name", text: account.display_name }),
      element("span", { class: "talk-last", text: last ? preview(last.message) : texts.no_messages }),
    ]),
    element("span", { class: "talk-side" }, side),
  ]);
  byId("talks").replaceChildren(element("li", {}, [talk]));
}

function preview(message) {
  return message.text ?? message.altText ?? {
    image: texts.photo,
    video: texts.video,
    audio: texts.audio,
    sticker: texts.sticker,
    location: message.title,
  }[message.type] ?? texts.unsupported;
}
