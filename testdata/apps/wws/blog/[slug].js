addEventListener("fetch", (event) => event.respondWith(new Response(event.request.params.slug)));
