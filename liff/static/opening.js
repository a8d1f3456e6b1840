// Nobody is logged in yet: ask LINE who holds the phone, tell the shop, and show what it then serves.

import { Problem, cleanAddress, exchange, follow, forget, remember, startLiff } from "./session.js";

const EXPIRY_LEEWAY = 30; // Seconds; the token must outlive its way to the shop.

async function open() {
  forget("checked");
  // Only from the SDK: anybody can write a link with an ID token of their own in its fragment.
  const liff = await startLiff();
  if (!liff.isLoggedIn()) return atDesk() ? offerPhone(liff) : logIn(liff);
  const idToken = liff.getIDToken();
  if (!idToken) throw new Problem("line");
  if (isStale(liff)) return logInAgain(liff);
  const here = cleanAddress();
  try {
    enter(await exchange(idToken, here.pathname + here.search), here);
  } catch (problem) {
    if (problem.kind !== "stale") throw problem;
    logInAgain(liff);
  }
}

const logIn = (liff) => liff.login({ redirectUri: cleanAddress().href });
const atDesk = () => matchMedia("(min-width: 62rem) and (pointer: fine)").matches;

/** Beside it stands the QR code that goes on with the phone. */
function offerPhone(liff) {
  document.getElementById("opening").hidden = true;
  document.getElementById("desk").hidden = false;
  document.getElementById("desk-login").addEventListener("click", () => logIn(liff));
}

function enter(answer, here) {
  forget("renewed");
  remember("checked");
  const isHere = new URL(answer.location, location.origin).href === here.href;
  // This page again after a good answer: the session's cookie did not stay.
  if (isHere && !remember("opened")) throw new Problem("cookies");
  follow(answer);
}

/** In other browsers the SDK keeps an ID token longer than the hour for which it is valid. */
function isStale(liff) {
  const { exp } = liff.getDecodedIDToken() ?? {};
  return exp !== undefined && exp < Date.now() / 1000 + EXPIRY_LEEWAY;
}

/** Get a new token, once: inside LINE only closing and opening the window gives one. */
function logInAgain(liff) {
  if (liff.isInClient() || !remember("renewed")) throw new Problem("stale");
  liff.logout();
  logIn(liff);
}

function showProblem(problem) {
  const kind = problem instanceof Problem ? problem.kind : "line";
  const prepared = document.querySelector(`[data-problem="${kind}"]`);
  document.getElementById("problem-text").textContent = problem.text || prepared.textContent;
  document.getElementById("opening").hidden = true;
  const panel = document.getElementById("problem");
  panel.hidden = false;
  panel.focus();
}

document.getElementById("retry").addEventListener("click", () => {
  forget("opened");
  forget("renewed");
  const here = cleanAddress();
  // What LINE's app handed over is still there if the SDK did not come.
  here.hash = location.hash;
  history.replaceState(history.state, "", here);
  location.reload();
});

open().catch(showProblem);
