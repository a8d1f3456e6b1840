/** Draw one message object, by its type. */

import { areaButtons } from "./areas.js";
import { element } from "./dom.js";
import { renderFlex } from "./flex.js";
import { renderTemplate } from "./template_message.js";
import { stickerPicture } from "./stickers.js";
import { texts } from "./page_data.js";
import { webAddress } from "./dom.js";

const ADDRESS = /https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/g;

const renderers = {
  text: ({ text }, perform) => bubble(linked(text, perform)),
  textV2: ({ text, substitution }, perform) => bubble(linked(substituted(text, substitution), perform)),
  image: renderImage,
  video: ({ originalContentUrl, previewImageUrl, trackingId, contentUrl }, perform) => element("video", {
    class: "photo",
    controls: "",
    src: contentUrl || webAddress(originalContentUrl),
    poster: webAddress(previewImageUrl),
    on: { ended: () => trackingId && perform({ type: "videoEnded", trackingId }) },
  }),
  audio: ({ originalContentUrl, contentUrl }) => element("audio", {
    controls: "", src: contentUrl || webAddress(originalContentUrl),
  }),
  file: ({ fileName, fileSize }) => element("div", { class: "bubble place" }, [
    element("strong", { text: fileName }),
    element("span", { text: `${Math.ceil(fileSize / 1000)} kB` }),
  ]),
  sticker: ({ stickerId }) => element("img", {
    class: "sticker", src: stickerPicture(stickerId), alt: texts.sticker,
  }),
  location: ({ title, address }) => element("div", { class: "bubble place" }, [
    element("strong", { text: title || texts.location }),
    element("span", { text: address || "" }),
  ]),
  imagemap: renderImageMap,
  template: renderTemplate,
  flex: ({ contents }, perform) => renderFlex(contents, perform),
};

export function renderMessage(message, perform) {
  const render = renderers[message.type];
  const drawn = render && render(message, perform);
  return drawn || element("div", { class: "bubble unsupported", text: message.altText || texts.unsupported });
}

function renderImage({ originalContentUrl, previewImageUrl, contentUrl }, perform) {
  const picture = element("img", {
    src: contentUrl || webAddress(previewImageUrl || originalContentUrl), alt: texts.photo,
  });
  if (contentUrl) return element("div", { class: "photo" }, [picture]);
  const open = () => perform({ type: "uri", uri: originalContentUrl });
  return element("button", { class: "photo", type: "button", on: { click: open } }, [picture]);
}

function bubble(children) {
  return element("div", { class: "bubble" }, children);
}

/** Split a text into words and links that open in the in-app browser. */
function linked(text, perform) {
  const parts = [];
  let end = 0;
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    const open = (event) => {
      event.preventDefault();
      perform({ type: "uri", uri: address });
    };
    parts.push(text.slice(end, index), element("a", { href: address, text: address, on: { click: open } }));
    end = index + address.length;
  }
  return [...parts, text.slice(end)];
}

function substituted(text, substitution = {}) {
  return text.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, key) => {
    if (!key) return found[0];
    return substitution[key]?.type === "mention" ? "@…" : "🙂";
  });
}

function renderImageMap({ baseUrl, baseSize, altText, actions, video }, perform) {
  const size = { w: baseSize.width, h: baseSize.height };
  const areas = actions.map(({ area, linkUri, ...action }) => ({
    bounds: area,
    action: { ...action, uri: linkUri },
  }));
  return element("div", { class: "image-map", style: { "aspect-ratio": `${size.w} / ${size.h}` } }, [
    element("img", { src: webAddress(`${baseUrl}/700`), alt: altText }),
    ...areaButtons(areas, size, perform),
    ...(video ? [videoIn(video, size)] : []),
  ]);
}

function videoIn({ originalContentUrl, previewImageUrl, area }, { w, h }) {
  return element("video", {
    controls: "",
    src: webAddress(originalContentUrl),
    poster: webAddress(previewImageUrl),
    style: {
      left: `${(area.x / w) * 100}%`,
      top: `${(area.y / h) * 100}%`,
      width: `${(area.width / w) * 100}%`,
      height: `${(area.height / h) * 100}%`,
    },
  });
}
