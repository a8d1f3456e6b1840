// Nobody is logged in yet: ask LINE who holds the phone, tell the shop, and show what it then serves.

import { Problem, addressOf, cleanAddress, exchange, follow, forget, isBlocked, remember, startLiff } from "./session.js";

// Whoever comes here can read all of it: the page stays with the scripts.
window.lcReads = true;

// Seconds; the token must outlive its way to the shop.
const EXPIRY_LEEWAY = 30;
const STYLES_TIMEOUT = 2_000;
// As it seems, where nothing can be fetched.
const OF_THE_NETWORK = ["sdk", "slow", "line", "shop"];

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
    await enter(await exchange(idToken, here.pathname + here.search, { draw: true }), here);
  } catch (problem) {
    if (problem.kind !== "stale") throw problem;
    logInAgain(liff);
  }
}

/**
 * Inside LINE the SDK shows the claims of the ID token that it stores, once it has verified them, and
 * then needs nothing more of this page. Elsewhere it goes on to fetch what it fetches only once.
 */
function hasVerified(liff) {
  try {
    return liff.isInClient() && typeof liff.getDecodedIDToken()?.exp === "number" && !isStale(liff);
  } catch {
    // It has not begun.
    return false;
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
async function draw(answer) {
  history.replaceState(history.state, "", addressOf(answer));
  const { nonce } = document.querySelector("script[nonce]");
  // This document's policy goes on, and knows its own nonce alone: what the shop's page allowed is
  // allowed here, and nothing else.
  const html = answer.page.split(` nonce="${answer.nonce}"`).join(` nonce="${nonce}"`);
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const plain of page.querySelectorAll("noscript")) plain.remove();
  const scripts = page.querySelectorAll(`script[nonce="${nonce}"]`);
  await addStyles(page.head);
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  page.body.dataset.drawn = "";
  document.body.replaceWith(page.body);
  for (const script of scripts) run(script, nonce);
  const heading = document.querySelector("main h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

/** Add the styles that only the new page has, and wait for them a little. */
async function addStyles(head) {
  const here = [...document.styleSheets].map(({ href, ownerNode }) => href ?? ownerNode.textContent);
  const added = [...head.querySelectorAll('link[rel="stylesheet"], style')].filter(
    (one) => !here.includes(one.href ?? one.textContent),
  );
  const links = added.filter(({ href }) => href);
  const loaded = links.map((one) => new Promise((resolve) => (one.onload = one.onerror = resolve)));
  document.head.append(...added);
  const patience = new Promise((resolve) => setTimeout(resolve, STYLES_TIMEOUT));
  await Promise.race([Promise.all(loaded), patience]);
}

/** Scripts of a parsed page never run by themselves. */
function run({ attributes, text }, nonce) {
  const script = document.createElement("script");
  for (const { name, value } of attributes) script.setAttribute(name, value);
  Object.assign(script, { text, nonce, async: false });
  document.head.append(script);
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
  // This page is the card by now.
  if (!document.getElementById("problem")) throw problem;
  const said = problem instanceof Problem ? problem.kind : "line";
  const kind = isBlocked() && OF_THE_NETWORK.includes(said) ? "blocked" : said;
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
