// Keeps all files, so that the page works without a network after the first visit.

// A page that is open when a new version comes keeps the files it began with: the new ones wait until it is closed.

const VERSION = "@VERSION@", FILES = JSON.parse('@FILES@');
const OURS = `creatures ${self.registration.scope} `, CACHE = OURS + VERSION; // other pages may share the host

self.addEventListener("install", (event) => {
  // not what the browser, or a cache on the way, kept of an older version
  const fresh = FILES.map((file) => new Request(`${file}?${VERSION}`, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});
self.addEventListener("activate", (event) => {
  const old = (key) => key.startsWith(OURS) && key !== CACHE;
  const clear = (keys) => Promise.all(keys.filter(old).map((key) => caches.delete(key)));
  event.waitUntil(caches.keys().then(clear).then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const kept = caches.match(event.request, { cacheName: CACHE, ignoreSearch: true });
  // browsers refuse a redirected answer for a page, such as that of a host which shows index.html as ./
  const plain = (answer) => (answer.redirected ? new Response(answer.body, { headers: answer.headers }) : answer);
  event.respondWith(kept.then((answer) => (answer ? plain(answer) : fetch(event.request))));
});
