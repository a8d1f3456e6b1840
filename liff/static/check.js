// The server has already drawn the page. Once per window, see whether LINE still means the same person.

import { cleanAddress, exchange, follow, forget, remember, startLiff } from "./session.js";

async function check() {
  forget("opened");
  // LINE's app hands over credentials in the fragment each time it opens a window.
  const isNewWindow = location.hash.includes("access_token=");
  const isFirst = remember("checked");
  // In LINE's app the SDK, started without credentials, would leave the page to fetch some.
  if (!isNewWindow && (!isFirst || /\bLine\/\d/.test(navigator.userAgent))) return;
  // It takes the credentials out of the address, and keeps them for later.
  const liff = await startLiff();
  const idToken = liff.isLoggedIn() ? liff.getIDToken() : null;
  if (!idToken) return;
  const { pathname, search } = cleanAddress();
  const answer = await exchange(idToken, pathname + search);
  if (answer.changed) follow(answer);
}

// Without LINE or the network the page stays as the server drew it.
check().catch(() => forget("checked"));
