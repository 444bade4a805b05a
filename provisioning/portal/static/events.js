// The last events of the box, the newest first, with their pictures.

import { get } from "./api.js";
import { make } from "./dom.js";
import { say, span } from "./texts.js";

export function events(view, pulse) {
  const list = make("div");
  view.append(list);
  let shown = "", ended = false;

  function card(event) {
    const at = Date.parse(event.at) / 1000;
    const pictures = event.evidence ?? [];
    return make("section", { class: "card", "data-event": event.id },
      make("h2", {}, make("span", { class: `dot ${event.phase === "close" ? "" : event.severity === "alarm" ? "bad" : "warn"}` }),
        event.kind, " ", make("span", { class: "faint" }, say(`phase.${event.phase}`))),
      make("p", {}, [event.device, event.zone].filter(Boolean).join(" / "), " ",
        make("span", { class: "faint" }, say("ago", { span: span(pulse.now() - at) }), ", ", new Date(at * 1000).toLocaleString())),
      make("p", { class: "faint says" }, Object.entries(event.measures).filter(([key]) => !/^[xy][12]$/.test(key))
        .map(([key, value]) => `${key} ${value}`).join(", ")),
      pictures.length > 0 && make("div", { class: "evidence" }, pictures.map((one) => make("a",
        { href: `/api/evidence/${event.id}/${one.n}.jpg`, target: "_blank" },
        make("img", { src: `/api/evidence/${event.id}/${one.n}.jpg`, alt: one.moment, loading: "lazy" })))));
  }

  return {
    async update() {
      const found = await get("/api/events").catch(() => null);
      if (!found || ended) return;
      const stamp = JSON.stringify(found.map((one) => [one.id, one.revision, one.phase]));
      if (stamp === shown) return;
      shown = stamp;
      list.replaceChildren(...(found.length ? found.map(card) : [make("p", { class: "card" }, say("no-events"))]));
    },
    end() {
      ended = true;
    },
  };
}
