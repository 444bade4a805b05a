// One camera: its zones, what they are for, and what they would have told.

import { send } from "./api.js";
import { make, put } from "./dom.js";
import { Live } from "./live.js";
import { Polygon } from "./polygon.js";
import { lang, say, span } from "./texts.js";

const KINDS = ["parking", "loitering", "waterlogging"];
const USUAL_S = { parking: 180, loitering: 60 };
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const SETTLED_MS = 700;

export function editor(view, pulse, camera) {
  const base = `/api/cameras/${encodeURIComponent(camera)}`;
  const live = new Live(camera, pulse);
  const polygon = new Polygon(live.element, () => changed());
  const side = make("div");
  const title = make("div", { class: "row" },
    make("button", { type: "button", id: "back", onclick: () => { if (zone === null) location.hash = "/cameras"; else list(); } }, `‹ ${say("back")}`),
    make("h2", {}, camera));
  view.append(title, make("div", { class: "editor" }, live.element, side));
  let zone = null;       // the one that is drawn: a name, "" for a new one, null for none
  let parts = null;      // of the form
  let settled = 0, asked = 0;

  const here = () => pulse.state?.cameras[camera] ?? { zones: {}, purposes: {}, recorded_s: 0 };

  // The zones there are.
  function list(message = "") {
    zone = parts = null;
    polygon.others = here().zones;
    polygon.edit(null, "");
    side.replaceChildren(
      message && make("p", { class: "card good says", role: "status" }, message),
      make("section", { class: "card" },
        make("ul", { class: "plain" }, Object.keys(here().zones).map((name) => make("li", {},
          make("div", { class: "row" },
            make("button", { type: "button", "data-zone": name, onclick: () => edit(name) }, name),
            make("span", { class: "faint" }, told(name)))))),
        !Object.keys(here().zones).length && make("p", { class: "faint" }, say("no-zones")),
        make("div", { class: "row" },
          make("button", { class: "first", type: "button", id: "new-zone", onclick: () => edit("") }, say("new-zone")))),
      dryCard());
  }

  function told(name) {
    return Object.entries(here().purposes[name] ?? {})
      .map(([kind, { dwell_s: dwell }]) => dwell ? `${say(kind)} ${span(dwell)}` : say(kind)).join("; ");
  }

  function dryCard() {
    const says = make("p", { class: "says", role: "status" });
    const button = make("button", { type: "button", id: "dry", onclick: dry }, say("dry"));
    async function dry() {
      button.disabled = true;
      put(says, say("trying"), "faint says");
      try {
        const { kept } = await send("POST", `${base}/dry`);
        put(says, kept.flatMap((one) => [
          say("dry.kept", { light: say(one.light), count: one.pictures }), ...one.doubts]).join("\n"), "says");
      } catch (error) {
        put(says, error.message, "bad says");
      }
      button.disabled = false;
    }
    return make("section", { class: "card" }, make("p", { class: "faint" }, say("dry.help")), button, says);
  }

  // The form of one zone.
  function edit(name) {
    zone = name;
    const purposes = here().purposes[name] ?? {};
    polygon.others = here().zones;
    polygon.edit(name ? here().zones[name] : [], name);
    parts = { rules: {}, says: make("div", { role: "status", id: "trial" }) };
    parts.name = make("input", {
      id: "zone-name", value: name, disabled: Boolean(name), autocapitalize: "off", autocomplete: "off",
      maxlength: "64", oninput: () => { polygon.zone = parts.name.value; polygon.draw(); },
    });
    const rows = KINDS.map((kind) => {
      const on = make("input", { type: "checkbox", "data-kind": kind, onchange: () => changed() });
      on.checked = kind in purposes || (!name && kind === "parking");
      const dwell = kind in USUAL_S && make("input", {
        type: "number", min: "1", max: "86400", inputmode: "numeric", "data-dwell": kind, "aria-label": `${say(kind)} ${say("seconds")}`,
        value: purposes[kind]?.dwell_s ?? USUAL_S[kind], onchange: () => changed(),
      });
      parts.rules[kind] = { on, dwell };
      return make("div", { class: "row" }, make("label", {}, on, say(kind)),
        dwell && make("span", { class: "pair" }, dwell, say("seconds")));
    });
    parts.minutes = make("button", { type: "button", id: "try", onclick: () => attempt("minutes") });
    parts.save = make("button", { class: "first", type: "button", id: "save", onclick: save }, say("save"));
    side.replaceChildren(make("section", { class: "card" },
      make("p", { class: "faint" }, say("zone-help")),
      make("div", { class: "row" }, make("label", {}, say("zone-name"), parts.name)),
      make("div", { class: "row" },
        make("button", { type: "button", id: "undo", onclick: () => polygon.undo() }, say("undo")),
        make("button", { type: "button", id: "remove-corner", onclick: () => polygon.removeCorner() }, say("remove-corner"))),
      ...rows,
      make("div", { class: "row" }, parts.save, parts.minutes,
        name && make("button", { class: "danger", type: "button", id: "remove-zone", onclick: remove }, say("remove-zone"))),
      parts.says));
    minutes();
    if (name) changed();
  }

  function minutes() {
    if (parts) put(parts.minutes, say("try", { span: span(here().recorded_s) }));
  }

  function drawing() {
    const rules = {};
    for (const [kind, { on, dwell }] of Object.entries(parts.rules)) {
      if (on.checked) rules[kind] = dwell ? { dwell_s: Number(dwell.value) } : {};
    }
    return { points: polygon.points, rules };
  }

  // What is wrong with the form itself; what is wrong with the zone is for the box to say.
  function missing(named) {
    if (polygon.points.length < 3) return say("zone-few");
    if (!named) return "";
    if (!NAME.test(parts.name.value)) return say("zone-unnamed");
    return !zone && parts.name.value in here().zones ? say("zone-taken") : "";
  }

  function path(name) {
    return `${base}/zones/${encodeURIComponent(name)}`;
  }

  // Try on the live picture when the hand rests.
  function changed() {
    live.release();
    clearTimeout(settled);
    if (parts && !missing(false)) settled = setTimeout(() => attempt("live"), SETTLED_MS);
  }

  async function attempt(on) {
    clearTimeout(settled);
    const lack = missing(false);
    if (lack) return put(parts.says, lack, "warn says");
    const mine = ++asked, form = parts;
    form.minutes.disabled = on === "minutes";
    if (on === "minutes") put(form.says, say("trying"), "faint says");
    try {
      const name = NAME.test(form.name.value) ? form.name.value : "new";
      const found = await send("POST", `${path(name)}/trial?on=${on}`, drawing());
      if (mine === asked && parts === form) shown(found, name, on);
    } catch (error) {
      if (mine === asked && parts === form) put(form.says, error.message || say("lost"), "bad says");
    }
    form.minutes.disabled = false;
  }

  // The answer of a trial: boxes on the picture, and in words what would have been told.
  function shown(found, name, on) {
    polygon.zone = name;
    polygon.boxes = found.now;
    polygon.draw();
    // Boxes belong to the picture that they were found in.
    live.hold(found.picture, () => { polygon.boxes = []; polygon.draw(); });
    const inside = found.now.filter((one) => one.zones.includes(name)).map((one) => one.label);
    const lines = [make("p", {}, say("try.live", { what: inside.join(", ") || say("nothing") }))];
    if (on === "minutes") {
      const began = found.events.filter((one) => one.phase === "open" && one.zone === name);
      const over = span(found.seconds);
      lines.push(began.length
        ? make("p", { class: "warn" }, say("try.alarms", { span: over, count: began.length }))
        : make("p", { class: "good" }, say("try.none", { span: over })));
      lines.push(make("ul", { class: "plain" },
        began.map((one) => make("li", {}, say("try.alarm", { kind: one.kind, zone: one.zone, ago: span(one.ago_s) }))),
        found.stays.filter((one) => one.zone === name).map((one) => make("li", {},
          say(one.there ? "try.there" : "try.stood", { span: span(one.stood_s) })))));
      const dwell = Math.max(0, ...Object.values(drawing().rules).map((rule) => rule.dwell_s ?? 0));
      if (dwell > found.seconds) lines.push(make("p", { class: "faint" }, say("try.short", { span: span(dwell) })));
    }
    if (found.problem) lines.push(make("p", { class: "warn says" }, found.problem));
    parts.says.className = "";
    parts.says.replaceChildren(...lines);
  }

  async function save() {
    const lack = missing(true);
    if (lack) return put(parts.says, lack, "warn says");
    await change("PUT", parts.name.value, drawing());
  }

  async function remove() {
    if (confirm(say("remove-sure", { zone }))) await change("DELETE", zone);
  }

  async function change(method, name, body) {
    const form = parts;
    form.save.disabled = true;
    try {
      const { agent } = await send(method, path(name), body);
      asked++;
      clearTimeout(settled);
      await pulse.look();
      list(`${say("saved")} ${say(`saved.${agent}`)}`);
    } catch (error) {
      put(form.says, error.message || say("lost"), "bad says");
      form.save.disabled = false;
    }
  }

  list();
  return {
    update() {
      live.says(live.problem);
      minutes();
    },
    end() {
      clearTimeout(settled);
      live.end();
      polygon.end();
    },
    language: lang(),
  };
}
