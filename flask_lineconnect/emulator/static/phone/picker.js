/** The picker of date and time, which a `datetimepicker` action opens. */

import { act } from "./client.js";
import { byId } from "./dom.js";
import { texts } from "./page_data.js";

const INPUTS = { date: "date", time: "time", datetime: "datetime-local" };

export class Picker {
  constructor({ toast }) {
    this.toast = toast;
    this.dialog = byId("picker");
    this.field = byId("picked");
    byId("picker-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.dialog.close();
      this.#send().catch(() => this.toast(texts.failed));
    });
    byId("picker-cancel").addEventListener("click", () => this.dialog.close());
  }

  open(action) {
    this.action = action;
    this.field.type = INPUTS[action.mode] || "date";
    this.field.value = written(action.initial);
    this.field.min = written(action.min);
    this.field.max = written(action.max);
    this.dialog.showModal();
  }

  #send() {
    // LINE writes a date and time without seconds, as the field does.
    const params = { [this.action.mode]: this.field.value.slice(0, 16) };
    return act("postback", { data: this.action.data, params });
  }
}

/** LINE allows a small t between date and time; the field wants a large one. */
const written = (value) => (value || "").replace("t", "T");
