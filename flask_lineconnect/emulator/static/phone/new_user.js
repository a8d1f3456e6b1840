/** Make a new LINE user and open that user's phone. */

const form = document.getElementById("new-user");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = form.elements.display_name.value.trim();
  if (!name) return;
  const response = await fetch("/_emulator/users", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ display_name: name }),
  }).catch(() => null);
  if (response?.ok) location.assign(`/phone/${(await response.json()).user_id}`);
  else form.querySelector(".notice").hidden = false;
});
