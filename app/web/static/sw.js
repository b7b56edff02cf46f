// Keeps all files, so that the page works without a network after the first visit.

// A page that is open when a new version comes keeps the files it began with: the new ones wait until it is closed.

const VERSION = "@VERSION@", FILES = JSON.parse('@FILES@');
const OURS = `creatures ${self.registration.scope} `, CACHE = OURS + VERSION; // other pages may share the host

self.addEventListener("install", (event) => {
  const fresh = FILES.map((file) => new Request(file, { cache: "reload" })); // not what the browser kept of an older version
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});
self.addEventListener("activate", (event) => {
  const old = (key) => key.startsWith(OURS) && key !== CACHE;
  const clear = (keys) => Promise.all(keys.filter(old).map((key) => caches.delete(key)));
  event.waitUntil(caches.keys().then(clear).then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const kept = caches.match(event.request, { cacheName: CACHE, ignoreSearch: true });
  event.respondWith(kept.then((answer) => answer ?? fetch(event.request)));
});
