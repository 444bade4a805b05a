// The PIN: typed, or brought along by the QR code behind the #, where no server sees it.

import { send } from "./api.js";
import { make, put } from "./dom.js";
import { say } from "./texts.js";

export function gate(view, entered) {
  const pin = make("input", {
    id: "pin", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6", "aria-label": say("pin.title"),
  });
  const says = make("p", { class: "bad", role: "alert" });
  const form = make("form", { class: "card gate", onsubmit: (event) => { event.preventDefault(); enter(pin.value); } },
    make("h2", {}, say("pin.title")), pin,
    make("div", { class: "row" }, make("button", { class: "first", type: "submit" }, say("pin.enter"))), says);
  view.replaceChildren(form);
  pin.focus();

  async function enter(text) {
    try {
      await send("POST", "/api/enter", { pin: text.trim() });
      entered();
    } catch (error) {
      const { answer, wait_s: wait } = error.answer ?? {};
      const words = { wrong: "pin.wrong", wait: "pin.wait", locked: "pin.locked" }[answer];
      put(says, words ? say(words, { seconds: Math.ceil(wait) }) : error.message || say("lost"));
      pin.value = "";
      pin.focus();
    }
  }

  const brought = /^#(\d{6})$/.exec(location.hash)?.[1];
  if (brought) {
    history.replaceState(null, "", "/");
    enter(brought);
  }
  return () => form.remove();
}
