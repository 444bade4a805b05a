// The page's frame: rooms, language, the way in.

import { cameras } from "./cameras.js";
import { checks } from "./checks.js";
import { devices } from "./devices.js";
import { make, put } from "./dom.js";
import { editor } from "./editor.js";
import { events } from "./events.js";
import { gate } from "./gate.js";
import { Pulse } from "./pulse.js";
import { lang, say, switchLanguage } from "./texts.js";

const ROOMS = { cameras, devices, events, checks };
const view = document.getElementById("view");
let room = null;   // {path, update(), end()} of what is shown

const pulse = new Pulse(() => beat());

function path() {
  return decodeURIComponent(location.hash).replace(/^#\/?/, "").split("/");
}

// Show the room of the address; rooms keep their elements and only change what is new.
function show(again = false) {
  const [name, detail] = path();
  const wanted = [name, detail].join("/");
  if (room?.path === wanted && !again) return;
  room?.end?.();
  view.replaceChildren();
  const made = name === "camera" ? editor(view, pulse, detail) : (ROOMS[name] ?? cameras)(view, pulse);
  room = { ...made, path: wanted };
  room.update?.();
  for (const button of document.querySelectorAll("nav button")) {
    const here = button.dataset.room === (name === "camera" ? "cameras" : name in ROOMS ? name : "cameras");
    if (here) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
}

function frame() {
  document.documentElement.lang = lang() === "zh" ? "zh-CN" : "en";
  put(document.getElementById("language"), say("other"));
  document.getElementById("rooms").replaceChildren(...Object.keys(ROOMS).map((name) =>
    make("button", { type: "button", "data-room": name, onclick: () => { location.hash = `/${name}`; } }, say(name))));
}

function beat() {
  if (pulse.problem?.status === 401) {
    if (room?.path !== "gate") {
      room?.end?.();
      room = { path: "gate", end: gate(view, () => { room = null; pulse.look(); }) };
    }
    return;
  }
  head();
  if (!pulse.state) return;
  if (!room || room.path === "gate") show(true);
  else room.update?.();
}

function head() {
  const state = pulse.state, line = document.getElementById("pulse");
  if (pulse.resting) {
    line.replaceChildren(say("paused"), " ", make("button", { type: "button" }, say("go-on")));
  } else if (pulse.problem) {
    put(line, pulse.problem.message && pulse.problem.status ? pulse.problem.message : say("lost"), "bad");
  } else if (state) {
    put(document.getElementById("node"), `${state.node.site} / ${state.node.id}`);
    document.title = `${state.node.id} – Lamppost`;
    const { running, hangs } = state.agent;
    const agent = !running ? "agent.down" : hangs ? "agent.hangs" : "agent.runs";
    const hub = !state.hub ? "hub.none" : state.hub.connected ? "hub.on" : "hub.off";
    const count = Object.values(state.spool).reduce((sum, lane) => sum + lane.depth, 0);
    const said = [say(agent), say(hub), count ? say("waiting", { count }) : ""].filter(Boolean).join(" · ");
    put(line, said, running && !hangs && state.hub?.connected ? "" : "warn");
  }
}

document.getElementById("language").addEventListener("click", () => {
  switchLanguage();
  frame();
  if (room?.path === "gate") room = null;
  else show(true);
  beat();
});
addEventListener("hashchange", () => { if (pulse.state) show(); });
frame();
