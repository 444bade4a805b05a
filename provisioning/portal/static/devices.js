// Devices with their readings, each with a line of the last minutes; and what waits to be sent.

import { make, spark } from "./dom.js";
import { say, span } from "./texts.js";

const STATES = { ok: "good", failing: "bad", stalled: "bad", degraded: "warn", starting: "warn" };

export function devices(view, pulse) {
  const grid = make("div", { class: "grid" });
  view.append(grid);

  function reading(name, { value, unit, quality }, points) {
    const shown = value === null ? "–" : `${value}${unit ? ` ${unit}` : ""}`;
    return make("tr", { "data-quantity": name }, make("td", { class: "name" }, name),
      make("td", {}, spark(points ?? [])), make("td", { class: `value ${quality === "good" ? "" : "bad"}` }, shown));
  }

  function card(name, device) {
    const state = device.enabled ? device.state : null;
    return make("section", { class: "card", "data-device": name },
      make("h2", {}, make("span", { class: `dot ${STATES[state] ?? ""}` }), name, " ",
        make("span", { class: "faint" }, device.enabled ? [device.driver, state].filter(Boolean).join(", ") : say("off"))),
      device.error && make("p", { class: "bad says" }, device.error),
      Object.keys(device.readings).length > 0 && make("table", {}, Object.entries(device.readings).map(
        ([quantity, one]) => reading(quantity, one, device.history[quantity]))));
  }

  function size(bytes) {
    return bytes < 1024 ? `${bytes} B` : bytes < 1 << 20 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
  }

  function spool(lanes) {
    return make("section", { class: "card", id: "spool" }, make("h2", {}, say("spool")),
      make("table", {},
        make("tr", {}, ["lane", "depth", "size", "oldest", "drops"].map((key) => make("th", {}, say(key)))),
        Object.entries(lanes).map(([name, lane]) => make("tr", {}, make("td", {}, name), make("td", {}, String(lane.depth)),
          make("td", {}, size(lane.bytes)), make("td", {}, lane.oldest_s ? span(lane.oldest_s) : "–"),
          make("td", { class: lane.dropped ? "bad" : "" }, String(lane.dropped))))));
  }

  return {
    update() {
      const { devices: known, spool: lanes } = pulse.state;
      grid.replaceChildren(
        ...Object.entries(known).map(([name, device]) => card(name, device)),
        ...(Object.keys(known).length ? [] : [make("p", { class: "card" }, say("no-devices"))]),
        spool(lanes));
    },
  };
}
