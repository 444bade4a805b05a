// The beat of the page: the box's state every two seconds, while somebody looks and has touched it lately.

import { get } from "./api.js";

const EVERY_MS = 2000, RESTING_MS = 10 * 60 * 1000;

export class Pulse {
  constructor(told) {
    this.told = told;
    this.state = null;
    this.problem = null;
    this.ahead = 0;
    this.waiting = [];
    this.touched = Date.now();
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.touch());
    document.addEventListener("visibilitychange", () => this.wake());
    this.run();
  }

  touch() {
    this.touched = Date.now();
    this.wake();
  }

  get resting() {
    return document.hidden || Date.now() - this.touched > RESTING_MS;
  }

  wake() {
    if (!this.resting) this.waiting.splice(0).forEach((go) => go());
  }

  // Resolves at once, or when somebody is there again: a forgotten page must let the portal end.
  awake() {
    if (!this.resting) return Promise.resolve();
    this.told();
    return new Promise((go) => this.waiting.push(go));
  }

  // Unix seconds by the box's clock: the phone's may be another.
  now() {
    return Date.now() / 1000 + this.ahead;
  }

  async look() {
    try {
      this.state = await get("/api/state");
      this.ahead = this.state.at - Date.now() / 1000;
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
    this.told();
  }

  async run() {
    for (;;) {
      await this.awake();
      await this.look();
      await new Promise((done) => setTimeout(done, EVERY_MS));
    }
  }
}
