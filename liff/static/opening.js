// Nobody is logged in yet: ask LINE who holds the phone, tell the shop, and show what it then serves.

import { Problem, addressOf, cleanAddress, exchange, follow, forget, remember, startLiff } from "./session.js";

const EXPIRY_LEEWAY = 30; // Seconds; the token must outlive its way to the shop.

async function open() {
  forget("checked");
  // Only from the SDK: anybody can write a link with an ID token of their own in its fragment.
  const liff = await startLiff(hasVerified);
  if (!liff.isLoggedIn()) return atDesk() ? offerPhone(liff) : logIn(liff);
  const idToken = liff.getIDToken();
  if (!idToken) throw new Problem("line");
  if (isStale(liff)) return logInAgain(liff);
  const here = cleanAddress();
  try {
    enter(await exchange(idToken, here.pathname + here.search, { draw: true }), here);
  } catch (problem) {
    if (problem.kind !== "stale") throw problem;
    logInAgain(liff);
  }
}

/** The SDK shows the claims of an ID token that it has verified, and no others. */
function hasVerified(liff) {
  try {
    return liff.getDecodedIDToken() !== null && !isStale(liff);
  } catch {
    return false; // It has not begun.
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
  if (answer.page) return draw(answer);
  const isHere = new URL(answer.location, location.origin).href === here.href;
  // This page again after a good answer: the session's cookie did not stay.
  if (isHere && !remember("opened")) throw new Problem("cookies");
  follow(answer);
}

/** Become the page that came with the answer: no other request, and nothing blinks. */
function draw(answer) {
  history.replaceState(history.state, "", addressOf(answer));
  const { nonce } = document.querySelector("script[nonce]");
  // This document's policy goes on, and knows its own nonce alone.
  const html = answer.page.replaceAll(/ nonce="[^"]*"/g, ` nonce="${nonce}"`);
  const page = new DOMParser().parseFromString(html, "text/html");
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  const scripts = [...page.querySelectorAll("script")];
  const styles = [...page.querySelectorAll('link[rel="stylesheet"]')];
  const isNew = ({ href }) => ![...document.styleSheets].some((sheet) => sheet.href === href);
  document.head.append(...styles.filter(isNew));
  page.body.dataset.drawn = "";
  document.body.replaceWith(page.body);
  // Scripts of a parsed page never run; those of this answer are as good as the page's own.
  for (const { attributes, text } of scripts) {
    const script = document.createElement("script");
    for (const { name, value } of attributes) script.setAttribute(name, value);
    Object.assign(script, { text, async: false });
    document.head.append(script);
  }
  const main = document.querySelector("main");
  main.tabIndex = -1;
  main.focus({ preventScroll: true });
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
