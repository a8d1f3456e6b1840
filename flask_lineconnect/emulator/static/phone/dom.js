/** Small helpers to build elements; dynamic styles go through CSSOM, which a strict CSP allows. */

/** Make an element: attributes by name, `class`, `text`, `style` as properties, `on` as listeners. */
export function element(tag, { class: className, text, style, on, ...attributes } = {}, children = []) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  Object.entries(style || {}).forEach(([name, value]) => {
    if (value !== undefined && value !== null) node.style.setProperty(name, value);
  });
  Object.entries(on || {}).forEach(([name, listener]) => node.addEventListener(name, listener));
  Object.entries(attributes).forEach(([name, value]) => {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  });
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Return a web address, or undefined for any other scheme: message objects are other people's input. */
export function webAddress(url) {
  return /^https?:\/\//i.test(url || "") ? url : undefined;
}

/** Make any element pressable by pointer and keyboard. */
export function pressable(node, press) {
  node.setAttribute("role", "button");
  node.tabIndex = 0;
  node.style.setProperty("cursor", "pointer");
  node.addEventListener("click", (event) => {
    event.stopPropagation();
    press();
  });
  node.addEventListener("keydown", (event) => {
    if (event.target === node && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      press();
    }
  });
  return node;
}
