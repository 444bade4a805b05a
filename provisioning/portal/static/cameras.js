// All cameras, live; a tap opens one to draw its zones.

import { make, put } from "./dom.js";
import { Live } from "./live.js";
import { say } from "./texts.js";

export function cameras(view, pulse) {
  const grid = make("div", { class: "grid" });
  const none = make("p", { class: "card" }, say("no-cameras"));
  view.append(grid, none);
  const shown = new Map();

  function card(name) {
    const live = new Live(name, pulse);
    const zones = make("p", { class: "faint" });
    const open = () => { location.hash = `/camera/${encodeURIComponent(name)}`; };
    live.element.addEventListener("click", open);
    const element = make("section", { class: "card", "data-camera": name },
      make("div", { class: "row" }, make("h2", {}, name),
        make("button", { type: "button", onclick: open }, say("zones"))),
      live.element, zones);
    return { live, zones, element };
  }

  return {
    update() {
      const known = pulse.state.cameras;
      none.hidden = Object.keys(known).length > 0;
      for (const [name, one] of shown) {
        if (name in known) continue;
        one.live.end();
        one.element.remove();
        shown.delete(name);
      }
      for (const [name, camera] of Object.entries(known)) {
        if (!shown.has(name)) {
          shown.set(name, card(name));
          grid.append(shown.get(name).element);
        }
        const one = shown.get(name);
        put(one.zones, Object.keys(camera.zones).join(", ") || say("no-zones"));
        one.live.says(one.live.problem);
      }
    },
    end() {
      for (const one of shown.values()) one.live.end();
    },
  };
}
