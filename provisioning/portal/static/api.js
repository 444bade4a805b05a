// Talking to the box. What it cannot do it says in words: those are the error.

export class Refused extends Error {
  constructor(words, status, answer = {}) {
    super(words);
    this.status = status;
    this.answer = answer;
  }
}

async function refused(response) {
  const answer = await response.json().catch(() => ({}));
  return new Refused(answer.error ?? "", response.status, answer);
}

export async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw await refused(response);
  return response.json();
}

export async function send(method, path, body = {}) {
  const response = await fetch(path, {
    method, headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  if (!response.ok) throw await refused(response);
  return response.json();
}

// The camera's newest picture after number `after`: {url, number, at}. The caller revokes the url.
export async function picture(camera, after, signal) {
  const response = await fetch(`/api/cameras/${encodeURIComponent(camera)}/picture.jpg?after=${after}`, { signal });
  if (!response.ok) throw await refused(response);
  return {
    url: URL.createObjectURL(await response.blob()),
    number: Number(response.headers.get("x-number")),
    at: Number(response.headers.get("x-at")),
  };
}

// The findings of the checks, each as soon as it is there.
export async function* findings(lang) {
  const response = await fetch(`/api/checks?lang=${lang}`);
  if (!response.ok) throw await refused(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}
