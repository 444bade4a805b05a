// The checks of `lamppost check`, each line as soon as it is known.

import { findings } from "./api.js";
import { make, put } from "./dom.js";
import { lang, say } from "./texts.js";

const ORDER = ["green", "yellow", "red"];

export function checks(view) {
  const button = make("button", { class: "first", type: "button", id: "check", onclick: run }, say("check.run"));
  const says = make("p", { role: "status", id: "verdict" });
  const list = make("ul", { class: "plain card", id: "findings" });
  list.hidden = true;
  view.append(make("div", { class: "row" }, button, says), list);

  async function run() {
    button.disabled = true;
    list.replaceChildren();
    list.hidden = true;
    put(says, say("check.running"), "faint");
    let worst = 0;
    try {
      for await (const one of findings(lang())) {
        worst = Math.max(worst, ORDER.indexOf(one.colour));
        list.hidden = false;
        list.append(make("li", { "data-colour": one.colour },
          make("div", {}, make("span", { class: `dot ${["good", "warn", "bad"][ORDER.indexOf(one.colour)]}` }),
            make("strong", {}, one.name)),
          make("div", { class: "says" }, one.says), one.todo && make("div", { class: `says ${one.colour}` }, one.todo)));
      }
      put(says, say(`check.${ORDER[worst]}`), ORDER[worst]);
    } catch (error) {
      put(says, error.message || say("lost"), "bad");
    }
    button.disabled = false;
  }

  run();
  return {};
}
