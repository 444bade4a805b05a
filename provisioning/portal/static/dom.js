// Elements without innerHTML: what a device calls itself is never markup.

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

// Write only what changed: a screen reader and a finger on a button are left in peace.
export function put(element, text, className) {
  if (element.textContent !== text) element.textContent = text;
  if (className !== undefined && element.className !== className) element.className = className;
}

const SVG = "http://www.w3.org/2000/svg";

// A line of [seconds, value] points.
export function spark(points) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 100 30");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  if (points.length > 1) {
    const values = points.map((point) => point[1]);
    const low = Math.min(...values), high = Math.max(...values);
    const first = points[0][0], width = points.at(-1)[0] - first || 1;
    const place = ([at, value]) => {
      const y = high === low ? 15 : 28 - (26 * (value - low)) / (high - low);
      return `${((100 * (at - first)) / width).toFixed(1)},${y.toFixed(1)}`;
    };
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", `M${points.map(place).join("L")}`);
    svg.append(path);
  }
  return svg;
}
