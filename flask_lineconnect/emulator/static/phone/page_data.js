/** What the server put into the page: whose phone it is, the language and the texts. */

const data = JSON.parse(document.getElementById("phone-data").textContent);

export const userId = data.user_id;
export const language = data.language;
export const texts = data.texts;

const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
const date = new Intl.DateTimeFormat(language, { month: "long", day: "numeric", weekday: "short" });

const dateOfYear = new Intl.DateTimeFormat(language, { dateStyle: "long" });

let clock = { ahead_seconds: 0, stopped_at: null };

/** Take over LINE's clock, which tests may have moved or stopped. */
export function setClock(next) {
  clock = next;
}

/** Return LINE's time. */
export const now = () =>
  clock.stopped_at ? new Date(clock.stopped_at) : new Date(Date.now() + clock.ahead_seconds * 1000);

export const timeOf = (iso) => time.format(new Date(iso));

/** Return 今日, 昨日 or the date; of another year with the year. */
export function dayOf(iso) {
  const at = new Date(iso);
  const day = now();
  if (at.toDateString() === day.toDateString()) return texts.today;
  const isThisYear = at.getFullYear() === day.getFullYear();
  day.setDate(day.getDate() - 1);
  if (at.toDateString() === day.toDateString()) return texts.yesterday;
  return (isThisYear ? date : dateOfYear).format(at);
}
