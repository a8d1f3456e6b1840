// A member is logged in to the shop: on a press, LINE says who holds the phone, and the next page shows
// both. Where LINE can't say it here, the form goes on by itself, through LINE Login.

import { exchange, follow, startLiff } from "./session.js";

const form = document.getElementById("link-form");
const problem = document.getElementById("problem");
const button = form.querySelector("button");
const started = startLiff();
started.catch(() => {});

async function idToken() {
  const liff = await started;
  return liff.isLoggedIn() ? liff.getIDToken() : null;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  const token = await idToken().catch(() => null);
  if (!token) return form.submit();
  try {
    follow(await exchange(token));
  } catch ({ kind, text }) {
    if (kind === "stale") return form.submit();
    problem.textContent = text || problem.textContent;
    problem.hidden = false;
    button.disabled = false;
  }
});
