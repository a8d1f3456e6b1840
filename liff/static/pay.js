// The code that pays: asked for on a tap, replaced before it ends, gone when the points were taken.

import { csrf } from "./session.js";

// So often by itself; a phone that lies on the counter shows no code for ever.
const CHANGES = 4;
// Seconds; a scanner that begins now must come to its end.
const EARLY = 10;
// Then a tap may try again.
const PATIENCE = 10_000;

const form = document.getElementById("pay");
const box = form.querySelector("[data-code]");
const left = form.querySelector("[data-left]");
const said = form.querySelector("[role=status]");
const button = form.querySelector("button");
let timer;
// Raised by each tap, change and end: what an older one brings is dropped.
let round = 0;

async function fetchCode() {
  const response = await fetch(form.action, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json", ...csrf() },
    body: "{}",
  });
  // The session has ended, or its CSRF token has, which a shop's own guard answers with 400.
  if ([400, 401, 403].includes(response.status)) location.reload();
  if (!response.ok) throw new Error();
  return response.json();
}

async function show(changes) {
  clearInterval(timer);
  timer = setTimeout(fail, PATIENCE);
  round += 1;
  button.disabled = true;
  const mine = round;
  try {
    const code = await fetchCode();
    if (mine === round) draw(code, changes);
  } catch {
    if (mine === round) fail();
  }
}

function draw({ html, seconds }, changes) {
  clearInterval(timer);
  box.innerHTML = html;
  box.parentElement.hidden = false;
  button.hidden = true;
  count(seconds - EARLY, changes);
}

function count(seconds, changes) {
  const ends = Date.now() + seconds * 1_000;
  const tick = () => {
    const rest = Math.ceil((ends - Date.now()) / 1_000);
    left.textContent = left.dataset.left.replace("{seconds}", rest);
    if (rest > 0) return;
    if (changes > 0) show(changes - 1);
    else hide();
  };
  tick();
  timer = setInterval(tick, 1_000);
}

function hide() {
  clearInterval(timer);
  round += 1;
  button.disabled = false;
  box.textContent = "";
  box.parentElement.hidden = true;
  button.hidden = false;
}

function fail() {
  hide();
  said.textContent = form.dataset.problem;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  said.textContent = "";
  show(CHANGES);
});
document.addEventListener("lc-points-changed", hide);
document.addEventListener("visibilitychange", () => document.hidden && hide());
