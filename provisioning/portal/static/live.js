// A camera's live picture: always asks for a newer one than it has, so the link sets the pace.

import { picture } from "./api.js";
import { make, put } from "./dom.js";
import { say, span } from "./texts.js";

const AGAIN_MS = 1500, HELD_MS = 8000;

export class Live {
  constructor(camera, pulse) {
    this.camera = camera;
    this.pulse = pulse;
    this.image = make("img", { alt: camera });
    this.age = make("p", { class: "age" });
    this.element = make("div", { class: "picture" }, this.image, this.age);
    this.ending = new AbortController();
    this.number = 0;
    this.at = 0;
    this.run();
  }

  async run() {
    while (!this.ending.signal.aborted) {
      await this.pulse.awake();
      try {
        const next = await picture(this.camera, this.number, this.ending.signal);
        const old = this.newest;
        this.newest = next.url;
        if (!this.held) this.image.src = next.url;
        if (old) URL.revokeObjectURL(old);
        this.number = next.number;
        this.at = next.at;
        this.says("");
      } catch (error) {
        if (this.ending.signal.aborted) return;
        this.says(error.message || say("no-picture"));
        await new Promise((done) => setTimeout(done, AGAIN_MS));
      }
    }
  }

  // Show a picture (JPEG in base64) for a while; `over` is called when the live one comes back.
  hold(jpeg, over) {
    clearTimeout(this.held?.timer);
    this.held = { over, timer: setTimeout(() => this.release(), HELD_MS) };
    this.image.src = `data:image/jpeg;base64,${jpeg}`;
  }

  release() {
    if (!this.held) return;
    clearTimeout(this.held.timer);
    const { over } = this.held;
    this.held = null;
    if (this.newest) this.image.src = this.newest;
    over();
  }

  // Under the picture: why there is none, or how old it is by the box's clock.
  says(problem) {
    this.problem = problem;
    const old = this.at ? this.pulse.now() - this.at : 0;
    put(this.age, problem || (old > 4 ? say("ago", { span: span(old) }) : ""));
    this.age.hidden = !this.age.textContent;
  }

  end() {
    this.ending.abort();
    clearTimeout(this.held?.timer);
    if (this.newest) URL.revokeObjectURL(this.newest);
  }
}
