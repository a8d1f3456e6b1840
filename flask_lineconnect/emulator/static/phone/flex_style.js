/** Turn the words and numbers of Flex properties into CSS values. */

const SPACES = { none: "0", xs: "2px", sm: "4px", md: "8px", lg: "12px", xl: "16px", xxl: "20px" };
const BORDERS = {
  none: "0", light: ".5px", normal: "1px", medium: "2px", "semi-bold": "3px", bold: "4px",
};
const TEXTS = {
  xxs: "11px", xs: "13px", sm: "14px", md: "16px", lg: "19px", xl: "22px",
  xxl: "29px", "3xl": "35px", "4xl": "48px", "5xl": "74px",
};
const IMAGES = {
  xxs: "40px", xs: "60px", sm: "80px", md: "100px", lg: "120px", xl: "140px",
  xxl: "160px", "3xl": "180px", "4xl": "200px", "5xl": "220px", full: "100%",
};
const MEASURE = /^\d+(\.\d+)?(px|%)$/;

function measured(words) {
  return (value) => words[value] ?? (MEASURE.test(value || "") ? value : undefined);
}

export const space = measured(SPACES);
export const border = measured(BORDERS);
export const textSize = measured(TEXTS);
export const imageSize = measured(IMAGES);

/** Return "20:13" as CSS writes it. */
export function ratio(value = "1:1") {
  return value.replace(":", " / ");
}

export function gradient({ type, angle, startColor, centerColor, centerPosition, endColor } = {}) {
  if (type !== "linearGradient") return undefined;
  const center = centerColor ? `, ${centerColor} ${centerPosition || "50%"}` : "";
  return `linear-gradient(${angle}, ${startColor}${center}, ${endColor})`;
}

/** Return the paddings of a box; a side overrides `paddingAll`. */
export function paddings(box) {
  return {
    padding: space(box.paddingAll),
    "padding-top": space(box.paddingTop),
    "padding-bottom": space(box.paddingBottom),
    "padding-inline-start": space(box.paddingStart),
    "padding-inline-end": space(box.paddingEnd),
  };
}

export function offsets({ position, offsetTop, offsetBottom, offsetStart, offsetEnd }) {
  return {
    position: position === "absolute" ? "absolute" : "relative",
    top: space(offsetTop),
    bottom: space(offsetBottom),
    "inset-inline-start": space(offsetStart),
    "inset-inline-end": space(offsetEnd),
  };
}
