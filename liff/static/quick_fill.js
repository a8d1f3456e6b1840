// Fills the registration form with LINE's common profile, on a tap: for verified MINI Apps in Japan.
// Nothing depends on it; where it can't work, its button never appears.

import { loadScript, startLiff } from "./session.js";

const button = document.getElementById("quick-fill");
const SCOPES = [
  "family-name", "given-name", "family-name-kana", "given-name-kana", "sex-enum",
  "bday-year", "bday-month", "bday-day", "tel", "email", "postal-code",
  "address-level1", "address-level2", "address-level3", "address-level4",
];
// Unconfirmed: LINE's sheet says 0 to 3; these follow ISO/IEC 5218.
const GENDERS = { 1: "male", 2: "female", 3: "other" };

/** Add what our fields hold in one piece and LINE in several. */
function joined(data) {
  const name = [data["family-name"], data["given-name"]].filter(Boolean).join(" ");
  const day = ["bday-year", "bday-month", "bday-day"].map((key) => String(data[key] ?? ""));
  const bday = day.every(Boolean) ? day.map((part) => part.padStart(2, "0")).join("-") : null;
  return { ...data, name: name || null, bday, gender: GENDERS[data["sex-enum"]] };
}

function fill(data) {
  for (const field of document.querySelectorAll("[data-liff-autocomplete]")) {
    const value = data[field.dataset.liffAutocomplete];
    if (value === undefined || value === null) continue;
    field.value = value;
  }
  for (const choice of document.querySelectorAll('input[type="radio"][name="gender"]')) {
    choice.checked = choice.value === data.gender;
  }
}

async function loadPlugin() {
  await loadScript(document.body.dataset.quickFill);
  return new window.LiffCommonProfilePlugin();
}

async function offer() {
  const liff = await startLiff();
  if (!liff.isInClient()) return;
  liff.use(await loadPlugin());
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { data, error } = await liff.$commonProfile.get(SCOPES);
    if (error) button.hidden = true;
    else fill(joined(data));
  });
}

offer().catch(() => {});
