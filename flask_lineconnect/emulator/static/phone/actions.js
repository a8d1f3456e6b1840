/** What pressing something in the chat does: LINE's action objects. */

import { act } from "./client.js";
import { webAddress } from "./dom.js";
import { texts } from "./page_data.js";

/** Return the function that performs an action with these parts of the phone. */
export function actionPerformer({ browser, composer, toast }) {
  const send = (what, body) => act(what, body).catch(() => toast(texts.failed));

  const performers = {
    uri: ({ uri }) => (webAddress(uri) ? browser.open(uri) : toast(texts.cannot_open)),
    message: ({ text }) => send("send", { text }),
    postback(action) {
      send("postback", { data: action.data, display_text: action.displayText ?? action.text });
      composer.follow(action);
    },
    clipboard: ({ clipboardText }) => navigator.clipboard
      .writeText(clipboardText)
      .then(() => toast(texts.copied), () => toast(texts.cannot_open)),
  };

  return (action) => {
    const perform = performers[action?.type];
    if (perform) perform(action);
    else toast(texts.cannot_open);
  };
}
