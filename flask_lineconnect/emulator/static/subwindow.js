/** The windows beside a LIFF page: take over its messages, and close when all is answered. */

const data = document.querySelector("input[name=data]");
const handedOver = new URLSearchParams(location.hash.slice(1)).get("data");
if (data && handedOver) data.value = handedOver;
if (document.body.classList.contains("subwindow-done")) window.close();
