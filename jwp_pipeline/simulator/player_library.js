// The simulated player: jwplayer(element or id).setup({playlist: URL or items} or an item) shows the first item.
window.jwplayer = function (place) {
  var target = typeof place === "string" ? document.getElementById(place) : place;

  function show(item) {
    var sources = item.sources || [{ file: item.file }];
    var isAudio = /^audio\//.test(sources[0].type || "");
    var media = document.createElement(isAudio ? "audio" : "video");
    media.controls = true;
    media.preload = "metadata";
    media.style.width = "100%";
    if (item.image && !isAudio) media.poster = item.image;
    sources.forEach(function (source) {
      var element = document.createElement("source");
      element.src = source.file;
      // Short names such as "mp4" are the player's own, and no media types.
      if (/\//.test(source.type || "")) element.type = source.type;
      media.appendChild(element);
    });
    var title = document.createElement("div");
    title.textContent = item.title || "";
    target.replaceChildren(media, title);
  }

  return {
    setup: function (options) {
      if (typeof options.playlist === "string") {
        fetch(options.playlist)
          .then(function (answer) {
            if (!answer.ok) throw new Error("HTTP status " + answer.status);
            return answer.json();
          })
          .then(function (feed) { show(feed.playlist[0]); })
          .catch(function (error) { target.textContent = "The video cannot be played (" + error.message + ")."; });
      } else {
        show(options.playlist ? options.playlist[0] : options);
      }
      return this;
    },
  };
};
