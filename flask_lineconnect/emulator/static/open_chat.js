/** Inside the phone's browser: tell the phone to open the chat, with the text typed in. */

const text = document.getElementById("chat-text").textContent;
window.parent?.postMessage({ type: "line.openChat", text }, location.origin);
