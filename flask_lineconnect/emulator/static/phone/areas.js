/** Tap areas on an image: rich menus and image maps. */

import { element } from "./dom.js";
import { texts } from "./page_data.js";

/** Return one button for each `{bounds: {x, y, width, height}, action}` of an image of size w x h. */
export function areaButtons(areas, { w, h }, perform) {
  return areas.map(({ bounds, action }, index) => element("button", {
    type: "button",
    "data-area": index,
    "aria-label": action.label || action.text || action.displayText || `${texts.rich_menu} ${index + 1}`,
    style: {
      left: `${(bounds.x / w) * 100}%`,
      top: `${(bounds.y / h) * 100}%`,
      width: `${(bounds.width / w) * 100}%`,
      height: `${(bounds.height / h) * 100}%`,
    },
    on: { click: () => perform(action) },
  }));
}
