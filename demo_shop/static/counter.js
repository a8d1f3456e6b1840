// At the counter: shows the points of a purchase while its amount is typed.

const form = document.querySelector("#purchase");
const output = form.querySelector("output");
const perPoint = Number(output.dataset.yenPerPoint);

function preview() {
  // As the server reads it: full-width digits, commas and a yen sign are no mistake.
  const yen = Number(form.yen.value.normalize("NFKC").replace(/[^0-9]/g, ""));
  output.value = Math.floor(yen / perPoint).toLocaleString(document.documentElement.lang);
  output.closest(".preview").hidden = !(yen > 0);
}

form.yen.addEventListener("input", preview);
preview();
