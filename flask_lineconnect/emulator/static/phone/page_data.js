/** What the server put into the page: whose phone it is, the language and the texts. */

const data = JSON.parse(document.getElementById("phone-data").textContent);

export const userId = data.user_id;
export const language = data.language;
export const texts = data.texts;

const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
const date = new Intl.DateTimeFormat(language, { month: "long", day: "numeric", weekday: "short" });

export const timeOf = (iso) => time.format(new Date(iso));

/** Return 今日, 昨日 or the date. */
export function dayOf(iso) {
  const at = new Date(iso);
  const now = new Date();
  if (at.toDateString() === now.toDateString()) return texts.today;
  now.setDate(now.getDate() - 1);
  return at.toDateString() === now.toDateString() ? texts.yesterday : date.format(at);
}
