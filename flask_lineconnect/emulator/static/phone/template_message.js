/** Template messages: buttons, confirm, carousel and image carousel. */

import { element } from "./dom.js";
import { pressable } from "./dom.js";
import { webAddress } from "./dom.js";

export function renderTemplate({ template }, perform) {
  const render = { buttons: single, confirm: single, carousel: columns, image_carousel: images }[template.type];
  return render && render(template, perform);
}

function single(template, perform) {
  return card(template, template, perform);
}

function columns(template, perform) {
  const cards = template.columns.map((column) => card(column, template, perform));
  return element("div", { class: "cards wide", tabindex: "0" }, cards);
}

function images({ columns: pictures }, perform) {
  const cards = pictures.map(({ imageUrl, action }) => {
    const shown = [element("img", { class: "card-image square", src: webAddress(imageUrl), alt: "" })];
    if (action.label) shown.push(element("div", { class: "card-text", text: action.label }));
    return pressable(element("div", { class: "card" }, shown), () => perform(action));
  });
  return element("div", { class: "cards wide", tabindex: "0" }, cards);
}

function card({ thumbnailImageUrl, title, text, actions, defaultAction }, style, perform) {
  const children = [];
  if (webAddress(thumbnailImageUrl)) {
    const image = element("img", {
      class: "card-image",
      src: thumbnailImageUrl,
      alt: "",
      style: { "background-color": style.imageBackgroundColor },
    });
    image.classList.toggle("square", style.imageAspectRatio === "square");
    image.classList.toggle("contain", style.imageSize === "contain");
    children.push(image);
  }
  const words = element("div", { class: "card-text" }, [text]);
  if (title) words.prepend(element("strong", { text: title }));
  children.push(words);
  if (defaultAction) children.forEach((child) => pressable(child, () => perform(defaultAction)));
  children.push(element("div", {
    class: style.type === "confirm" ? "card-actions side-by-side" : "card-actions",
  }, actions.map((action) => element("button", {
    type: "button", text: action.label, on: { click: () => perform(action) },
  }))));
  return element("div", { class: "card" }, children);
}
