// Keys of the console, and fields that show what follows from them. Every page works without.

const isTyping = (event) =>
  event.isComposing || event.target.closest("input, textarea, select, [contenteditable]");

let afterG = false;

function move(step) {
  const links = [...document.querySelectorAll("main tbody a, main .lc-list a.grow, main .lc-cases a")];
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
  links[Math.min(links.length - 1, Math.max(0, next))].focus();
}

function press(event) {
  if (event.key === "/") {
    const search = document.querySelector("main [type=search]");
    if (!search) return false;
    search.focus();
    return true;
  }
  if (event.key === "?") {
    const help = document.querySelector(".lc-tabbar a:last-child");
    if (help) location.assign(help.href);
    return Boolean(help);
  }
  if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
    return true;
  }
  if (event.key === "r") {
    const reply = document.querySelector("main .lc-reply textarea");
    reply?.focus();
    return Boolean(reply);
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  const area = event.target.closest?.(".lc-reply textarea");
  if (area && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    area.form.requestSubmit(area.form.querySelector(".lc-main"));
    return;
  }
  if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  const goal = afterG && document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (goal) location.assign(goal.href);
  else if (press(event)) event.preventDefault();
  afterG = event.key === "g" && !goal;
});

// A choice that changes which fields there are asks the server for them at once.
for (const field of document.querySelectorAll("[data-redraws]")) {
  field.addEventListener("change", () => {
    const button = field.form.querySelector(`[name=do][value=${field.dataset.redraws}]`);
    field.form.requestSubmit(button);
  });
}

// A form that counts asks the server what its fields mean now, and what is marked takes the place of
// the same on the page: nothing else moves, and whoever types goes on.
for (const form of document.querySelectorAll("form[data-asks]")) {
  let asked = null;
  let wait = 0;
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const body = new FormData(form);
    body.set("do", "draw");
    try {
      const answer = await fetch(form.action, { method: "POST", body, signal: asked.signal });
      if (!answer.ok) return;
      // The other page's style has a nonce of its own.
      const text = (await answer.text()).replace(/<style[^]*?<\/style>/, "");
      const found = new DOMParser().parseFromString(text, "text/html");
      for (const old of document.querySelectorAll("[data-swap]")) {
        const fresh = found.getElementById(old.id);
        if (fresh && fresh.outerHTML !== old.outerHTML) old.replaceChildren(...fresh.childNodes);
        if (fresh) old.className = fresh.className;
      }
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  };
  form.addEventListener("input", (event) => {
    clearTimeout(wait);
    if (event.target.type !== "text") wait = setTimeout(ask, 200);
  });
}

// While a sentence is put together: about how many people it chooses, then exactly how many. A newer
// question ends the older one, here and in the database.
function estimate(form) {
  const place = form.querySelector("[data-estimate]");
  const total = document.querySelector("[data-total]");
  let timer = 0;
  let running = null;
  const ask = async (signal, isExact) => {
    const body = new FormData(form);
    if (isExact) body.set("exact", "1");
    const answer = await fetch(form.dataset.estimates, { method: "POST", body, signal });
    if (!answer.ok || signal.aborted) return false;
    const told = await answer.json();
    form.querySelector("[data-counted]").hidden = true;
    place.hidden = false;
    place.querySelector(".lc-figure").textContent = told.chosen ?? "";
    place.querySelector(".lc-help").textContent = told.problem ?? told.note;
    if (total) total.textContent = told.problem ?? `${told.chosen}・${told.note}`;
    return !told.problem && !told.is_exact;
  };
  const begin = () => {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    clearTimeout(timer);
    // Whoever types has not said it all yet.
    timer = setTimeout(async () => {
      try {
        if (await ask(signal, false)) await ask(signal, true);
      } catch (error) {
        if (error.name !== "AbortError") place.hidden = true;
      }
    }, 250);
  };
  form.addEventListener("input", begin);
  form.addEventListener("submit", () => running?.abort());
  if (!form.querySelector("[data-counted] .lc-live")) begin();
}
for (const form of document.querySelectorAll("form[data-estimates]")) estimate(form);

// A second press of the same button does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.isSent) {
    event.preventDefault();
    return;
  }
  // What answers with a file leaves this page as it is.
  if (form.method !== "post" || event.submitter?.hasAttribute("data-again")) return;
  form.dataset.isSent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-is-sent]")) delete form.dataset.isSent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// A set phrase goes into the answer, where its writer may still change it.
for (const button of document.querySelectorAll("[data-phrase]")) {
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.phrase);
    field.setRangeText(button.nextElementSibling.textContent, field.selectionStart, field.selectionEnd, "end");
    button.closest("details").open = false;
    field.focus();
  });
}

for (const button of document.querySelectorAll("[data-prints]")) {
  button.addEventListener("click", () => window.print());
}
