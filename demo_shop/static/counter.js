// At the counter: shows the points of a purchase while its amount is typed.

const form = document.querySelector("#purchase");
const output = form.querySelector("output");
const perPoint = Number(output.dataset.yenPerPoint);

function preview() {
  const yen = form.yen.valueAsNumber;
  output.value = Math.floor(Math.max(yen || 0, 0) / perPoint).toLocaleString(document.documentElement.lang);
  output.closest(".preview").hidden = !(yen > 0);
}

form.yen.addEventListener("input", preview);
preview();
