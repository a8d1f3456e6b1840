/** Flex messages: bubbles and carousels; their boxes and components. */

import { border } from "./flex_style.js";
import { element } from "./dom.js";
import { gradient } from "./flex_style.js";
import { imageSize } from "./flex_style.js";
import { offsets } from "./flex_style.js";
import { paddings } from "./flex_style.js";
import { pressable } from "./dom.js";
import { ratio } from "./flex_style.js";
import { space } from "./flex_style.js";
import { textSize } from "./flex_style.js";
import { webAddress } from "./dom.js";

const BLOCKS = ["header", "hero", "body", "footer"];
const TEXT_ALIGN = { start: "start", center: "center", end: "end" };
const GRAVITY = { top: "flex-start", center: "center", bottom: "flex-end" };
const DECORATION = { underline: "underline", "line-through": "line-through" };

const renderers = {
  box: renderBox,
  text: renderText,
  image: renderImage,
  icon: renderIcon,
  button: renderButton,
  video: renderVideo,
  separator: renderSeparator,
  filler: () => element("div", { class: "flex-filler" }),
  spacer: ({ size = "md" }) => element("div", { style: { padding: space(size) } }),
};

/** Draw a bubble or a carousel; nothing for a container of an unknown type. */
export function renderFlex(container, perform) {
  if (container.type === "bubble") return renderBubble(container, perform);
  if (container.type !== "carousel") return undefined;
  const bubbles = container.contents.map((bubble) => renderBubble(bubble, perform));
  return element("div", { class: "cards wide", tabindex: "0" }, bubbles);
}

function renderBubble(bubble, perform) {
  const size = bubble.size || "mega";
  const node = element("div", { class: `flex-bubble flex-${size}`, dir: bubble.direction });
  if (["mega", "giga"].includes(size)) node.classList.add("wide");
  BLOCKS.filter((name) => bubble[name]).forEach((name, index) => {
    const style = bubble.styles?.[name] || {};
    if (style.separator && index > 0) {
      node.append(element("div", { class: "flex-line", style: { "background-color": style.separatorColor } }));
    }
    node.append(element("div", {
      class: `flex-block flex-${name}`,
      style: { "background-color": style.backgroundColor },
    }, [renderComponent(bubble[name], { perform, isVertical: true })]));
  });
  return actionable(node, bubble.action, perform);
}

/** Draw a component as a child of a box, with the place that the box gives it. */
function renderComponent(component, { perform, isVertical, spacing, isFirst = true }) {
  const render = renderers[component.type];
  if (!render) return element("span");
  const node = render(component, { perform, isVertical });
  node.classList.add("flex-item");
  const gap = space(component.margin) ?? (isFirst ? undefined : space(spacing));
  const place = {
    [isVertical ? "margin-top" : "margin-inline-start"]: gap,
    flex: growth(component, isVertical),
    ...offsets(component),
  };
  if (!isVertical) place["align-self"] = GRAVITY[component.gravity];
  Object.entries(place).forEach(([name, value]) => value && node.style.setProperty(name, value));
  if (component.type !== "button") actionable(node, component.action, perform);
  return node;
}

/** Return CSS `flex`: LINE shares the width by default and leaves the height to the contents. */
function growth({ type, flex, width }, isVertical) {
  if (flex === 0 || type === "separator" || type === "spacer") return "none";
  if (flex !== undefined) return isVertical ? `${flex} 0 auto` : `${flex} 1 0`;
  if (type === "filler") return "1";
  return isVertical || width || type === "icon" ? "none" : "1 1 0";
}

function actionable(node, action, perform) {
  return action ? pressable(node, () => perform(action)) : node;
}

function renderBox(box, { perform }) {
  const isVertical = box.layout === "vertical";
  const width = border(box.borderWidth);
  const node = element("div", {
    class: `flex-box flex-${box.layout}`,
    style: {
      ...paddings(box),
      width: space(box.width),
      height: space(box.height),
      "max-width": space(box.maxWidth),
      "max-height": space(box.maxHeight),
      "background-color": box.backgroundColor,
      "background-image": gradient(box.background),
      "border-radius": space(box.cornerRadius),
      border: width && width !== "0" ? `${width} solid ${box.borderColor || "#b7b7b7"}` : undefined,
      "justify-content": box.justifyContent,
      "align-items": box.alignItems,
    },
  });
  if (box.cornerRadius || box.height) node.classList.add("flex-clipped");
  node.append(...(box.contents || []).map((child, index) => renderComponent(child, {
    perform, isVertical, spacing: box.spacing, isFirst: index === 0,
  })));
  return node;
}

function renderText(text, { perform }) {
  const style = {
    ...wordStyle(text),
    "text-align": TEXT_ALIGN[text.align],
    "line-height": text.lineSpacing ? `calc(1.4em + ${space(text.lineSpacing)})` : undefined,
  };
  const node = element("div", { class: "flex-text", style });
  if (text.wrap) node.classList.add("flex-wrap");
  if (text.wrap && text.maxLines) {
    node.classList.add("flex-clamp");
    node.style.setProperty("-webkit-line-clamp", text.maxLines);
  }
  const spans = text.contents?.length ? text.contents : [{ text: text.text }];
  node.append(...spans.map((span) => actionable(
    element("span", { text: span.text ?? "", style: wordStyle(span) }),
    span.action,
    perform,
  )));
  return node;
}

function wordStyle({ size, weight, color, style, decoration }) {
  return {
    "font-size": textSize(size),
    "font-weight": weight === "bold" ? "700" : weight === "regular" ? "400" : undefined,
    color,
    "font-style": style === "italic" ? "italic" : undefined,
    "text-decoration": DECORATION[decoration],
  };
}

function renderImage(image) {
  const picture = element("img", {
    src: webAddress(image.url),
    alt: "",
    style: {
      "aspect-ratio": ratio(image.aspectRatio),
      "object-fit": image.aspectMode === "cover" ? "cover" : "contain",
      "background-color": image.backgroundColor,
      width: imageSize(image.size || "md"),
    },
  });
  const align = { start: "flex-start", end: "flex-end" }[image.align] || "center";
  return element("div", { class: "flex-image", style: { "justify-content": align } }, [picture]);
}

function renderIcon({ url, size = "md", aspectRatio }) {
  const style = { height: textSize(size), "aspect-ratio": ratio(aspectRatio) };
  return element("div", { class: "flex-icon" }, [element("img", { src: webAddress(url), alt: "", style })]);
}

function renderButton({ action, style = "link", height = "md", color }, { perform }) {
  return element("button", {
    class: `flex-button flex-button-${style} flex-button-${height}`,
    type: "button",
    text: action.label,
    style: { [style === "link" ? "color" : "background-color"]: color },
    on: {
      click: (event) => {
        event.stopPropagation();
        perform(action);
      },
    },
  });
}

function renderVideo({ url, previewUrl, aspectRatio }) {
  return element("video", {
    class: "flex-video",
    controls: "",
    src: webAddress(url),
    poster: webAddress(previewUrl),
    style: { "aspect-ratio": ratio(aspectRatio) },
  });
}

function renderSeparator({ color }) {
  return element("div", { class: "flex-line", style: { "background-color": color } });
}
