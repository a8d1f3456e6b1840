// The composer: values put into texts, lengths as LINE counts them, and the phone while one types.
// The phone is drawn by the server. Every page works without.

const PAUSE_MS = 400;

function count(counter) {
  const field = document.getElementById(counter.dataset.counts);
  counter.dataset.limit ??= counter.textContent;
  // LINE counts UTF-16 units, as JavaScript does.
  counter.textContent = `${field.value.length.toLocaleString()} / ${counter.dataset.limit}`;
}

function watch(composer) {
  const { form } = composer.querySelector("[name]");
  const phone = composer.querySelector("[data-phone]");
  let last = null;
  let waiting = 0;
  let running = null;

  for (const button of composer.querySelectorAll("[data-without-script]")) button.hidden = true;
  for (const counter of composer.querySelectorAll("[data-counts]")) count(counter);

  async function draw() {
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(composer.dataset.preview, {
        method: "POST",
        body: new FormData(form),
        signal: running.signal,
      });
      // What a customer or somebody of the staff wrote is text in it.
      if (answer.ok) phone.innerHTML = await answer.text();
    } catch (error) {
      // The phone shows what it showed; the button of the page says what is wrong.
      if (error.name !== "AbortError" && error.name !== "TypeError") throw error;
    }
  }

  composer.addEventListener("input", ({ target }) => {
    for (const counter of composer.querySelectorAll("[data-counts]")) {
      if (counter.dataset.counts === target.id) count(counter);
    }
    clearTimeout(waiting);
    waiting = setTimeout(draw, PAUSE_MS);
  });
  composer.addEventListener("focusin", ({ target }) => {
    if (target.hasAttribute("data-inserts")) last = target;
  });
  composer.addEventListener("change", ({ target }) => {
    if (target.dataset.composes) {
      form.requestSubmit(composer.querySelector(`button[value=draw][name="${target.dataset.composes}-do"]`));
    }
  });
  composer.addEventListener("click", ({ target }) => {
    const chip = target.closest("[data-insert]");
    if (!chip) return;
    const block = chip.closest(".lc-block");
    const field = last && block.contains(last) ? last : document.getElementById(chip.dataset.into);
    field.setRangeText(chip.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

for (const composer of document.querySelectorAll("[data-composer]")) watch(composer);
document.querySelector("[data-composer] [aria-invalid=true]")?.focus();
