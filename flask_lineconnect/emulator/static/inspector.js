/** The inspector: read the control pages every other second, and list what is new on top. */

import { byId } from "./phone/dom.js";
import { element } from "./phone/dom.js";

const EVERY = 2000; // Milliseconds.
const texts = JSON.parse(byId("texts").textContent);
const shown = new Set();

async function refresh() {
  const [{ calls }, { webhooks, statistics }] = await Promise.all([read("calls"), read("webhooks")]);
  const records = [...calls.map(callRecord), ...webhooks.map(webhookRecord)];
  records.sort((one, other) => one.at.localeCompare(other.at));
  // A reset of the emulator takes the old records away.
  if (shown.size > records.length) clear();
  records.filter(({ key }) => !shown.has(key)).forEach(show);
  byId("nothing").hidden = shown.size > 0;
  byId("statistics").textContent = Object.entries(statistics)
    .map(([outcome, count]) => `${outcome} ${count}`).join(" · ");
}

async function read(name) {
  return (await fetch(`/_emulator/${name}`)).json();
}

function callRecord(call) {
  const query = call.query ? `?${call.query}` : "";
  return {
    key: `call ${call.request_id}`,
    kind: texts.call,
    at: call.at,
    line: `${call.method} ${call.path}${query}`,
    status: call.status,
    isBad: call.status >= 400,
    took: call.milliseconds,
    request: call.request,
    response: call.response,
    curl: curl(call.method, location.origin + call.path + query, {
      "Content-Type": call.content_type,
      Authorization: call.has_token && "Bearer $LINE_TOKEN",
    }, call.request),
  };
}

function webhookRecord(webhook) {
  return {
    key: `webhook ${webhook.number}`,
    kind: texts.webhook,
    at: webhook.at,
    line: `POST ${webhook.url}`,
    status: webhook.status ?? "–",
    isBad: webhook.outcome !== "ok",
    took: webhook.milliseconds,
    request: webhook.body,
    response: webhook.outcome,
    curl: curl("POST", webhook.url, {
      "Content-Type": "application/json; charset=utf-8",
      "X-Line-Signature": "$LINE_SIGNATURE",
    }, webhook.body),
  };
}

/** Quote for a shell; tokens and signatures were never noted: the shell puts its own in. */
function curl(method, url, headers, body) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = Object.entries(headers)
    .filter(([, value]) => value)
    .map(([name, value]) => `-H ${value.includes("$") ? `"${name}: ${value}"` : quote(`${name}: ${value}`)}`);
  if (body) lines.push(`--data-raw ${quote(body)}`);
  return [`curl -X ${method} ${quote(url)}`, ...lines].join(" \\\n  ");
}

function show(record) {
  shown.add(record.key);
  const copy = element("button", { class: "button button-quiet copy", type: "button", text: texts.copy });
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(record.curl);
    copy.textContent = texts.copied;
    setTimeout(() => { copy.textContent = texts.copy; }, 1500);
  });
  const item = element("li", { class: "record" }, [
    element("details", {}, [
      element("summary", {}, [
        element("time", { datetime: record.at, text: new Date(record.at).toLocaleTimeString() }),
        element("span", { class: record.isBad ? "status bad" : "status", text: record.status }),
        element("span", { class: "path" }, [
          element("span", { class: "kind", text: record.kind }),
          record.line,
        ]),
        element("span", { class: "took", text: `${record.took} ms` }),
      ]),
      element("div", { class: "bodies" }, [
        body(texts.request, record.request),
        body(texts.response, record.response),
      ]),
      copy,
    ]),
  ]);
  item.dataset.search = [record.kind, record.line, record.status, record.request, record.response]
    .join(" ").toLowerCase();
  item.hidden = !isWanted(item);
  byId("records").prepend(item);
}

function body(title, text) {
  return element("section", {}, [
    element("h2", { text: title }),
    element("pre", { text: pretty(text) || texts.empty }),
  ]);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function isWanted(item) {
  const words = byId("filter").value.toLowerCase().split(/\s+/);
  return words.every((word) => item.dataset.search.includes(word));
}

function clear() {
  shown.clear();
  byId("records").replaceChildren();
}

byId("filter").addEventListener("input", () => {
  for (const item of byId("records").children) item.hidden = !isWanted(item);
});
const look = () => refresh().catch(() => {}).finally(() => setTimeout(look, EVERY));
look();
