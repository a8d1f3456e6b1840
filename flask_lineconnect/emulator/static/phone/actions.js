/** What pressing something in the chat does: LINE's action objects. */

import { act } from "./client.js";
import { webAddress } from "./dom.js";
import { texts } from "./page_data.js";

/** Return the function that performs an action with these parts of the phone. */
export function actionPerformer({ attachments, browser, composer, picker, toast }) {
  const send = (what, body) => act(what, body).catch(() => toast(texts.failed));

  const performers = {
    uri: ({ uri }) => (webAddress(uri) ? browser.open(uri) : toast(texts.cannot_open)),
    message: ({ text }) => send("send", { text }),
    postback(action) {
      send("postback", { data: action.data, display_text: action.displayText ?? action.text });
      composer.follow(action);
    },
    datetimepicker: (action) => picker.open(action),
    richmenuswitch: ({ richMenuAliasId, data }) => send("switch-menu", { alias: richMenuAliasId, data }),
    camera: () => attachments.choose("image/*,video/*"),
    cameraRoll: () => attachments.choose("image/*,video/*"),
    location: () => attachments.sendPlace(),
    videoEnded: ({ trackingId }) => send("video-complete", { tracking_id: trackingId }),
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
