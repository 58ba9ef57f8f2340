// What the page does beyond htmx: seals requests, hears news, keeps the choice of comments, reads marked words.
(function () {
  "use strict";

  var csrf = document.querySelector("meta[name=csrf]");

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  function refresh(element) {
    element.dispatchEvent(new CustomEvent("refresh"));
  }

  function tell(template) {
    var messages = document.getElementById("messages");
    messages.replaceChildren(document.getElementById(template).content.cloneNode(true));
  }

  document.addEventListener("htmx:config:request", function (event) {
    if (csrf) { event.detail.ctx.request.headers["X-CSRF-Token"] = csrf.content; }
  });

  // A reader without network or session must learn that nothing was saved.
  document.addEventListener("htmx:error", function () {
    if (!document.hidden) { tell("offline"); }
  });

  var lastOwn = 0;

  // After an act of our own every part that shows decisions comes again, and the forms with it.
  document.addEventListener("decided", function (event) {
    lastOwn = Date.now();
    each("[data-live], [data-own]", refresh);
    var card = event.target.closest ? event.target.closest(".card") : null;
    if (card) { refresh(card); }
    if (event.target.closest && event.target.closest("#chosen, #merge, #split")) { chooseNone(); tellList(); }
  });

  function tellList() {
    if (document.querySelector("[data-list]")) { each("[data-list]", function (list) { list.classList.add("changed"); }); }
  }

  // News of others: small parts come again by themselves, long lists only on demand, lest they jump under the reader.
  function hear() {
    var source = new EventSource("/events");
    source.onmessage = function (event) {
      var news = JSON.parse(event.data);
      // What this page just did itself is shown already.
      var echo = Date.now() - lastOwn < 3000 && news.acts.every(function (act) { return act.author === document.body.dataset.me; });
      if (echo && !news.new_run) { return; }
      each("[data-live]", refresh);
      if (news.new_run) { tell("night"); return; }
      news.acts.forEach(function (act) {
        if (act.comment_id) {
          each(".card", function (card) {
            if (card.dataset.comment === act.comment_id && !card.querySelector(".editing").firstElementChild) { refresh(card); }
          });
        }
      });
      document.dispatchEvent(new CustomEvent("news", { detail: news }));
    };
    window.addEventListener("pagehide", function () { source.close(); });
  }

  // The choice of comments.
  var chosen = document.getElementById("chosen");

  function picks() {
    return Array.prototype.slice.call(document.querySelectorAll(".pick:checked"));
  }

  function showChosen() {
    if (!chosen) { return; }
    var ids = picks().map(function (pick) { return pick.value; });
    chosen.hidden = !ids.length;
    chosen.querySelector(".count").textContent = new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-u-nu-arab" : document.documentElement.lang).format(ids.length);
    each("#chosen .ids", function (field) { field.value = ids.join("\n"); });
  }

  function chooseNone() {
    picks().forEach(function (pick) { pick.checked = false; });
    showChosen();
  }

  document.addEventListener("change", function (event) {
    if (event.target.classList.contains("pick")) { showChosen(); }
  });
  document.addEventListener("click", function (event) {
    if (event.target.id === "choose-none") { chooseNone(); }
    if (event.target.classList.contains("reload")) { event.preventDefault(); location.reload(); }
  });

  // Words of a comment that the reader marked: their place in code points, for forms that need evidence.
  function placeOf(node, offset) {
    var piece = node.nodeType === 3 ? node.parentElement : node;
    piece = piece.closest("[data-start]");
    if (!piece || node.nodeType !== 3) { return null; }
    return Number(piece.dataset.start) + Array.from(node.data.slice(0, offset)).length;
  }

  function markedWords() {
    var selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed) { return null; }
    var range = selection.getRangeAt(0);
    var start = placeOf(range.startContainer, range.startOffset);
    var end = placeOf(range.endContainer, range.endOffset);
    var card = range.startContainer.parentElement.closest(".card");
    if (start === null || end === null || start >= end || !card || !card.contains(range.endContainer)) { return null; }
    return { card: card, start: start, end: end };
  }

  document.addEventListener("selectionchange", function () {
    var marked = markedWords();
    if (!marked) { return; }
    Array.prototype.forEach.call(marked.card.querySelectorAll("form.marked"), function (form) {
      form.elements.start.value = marked.start;
      form.elements.end.value = marked.end;
      form.querySelector("button").disabled = false;
    });
  });

  if (csrf) { hear(); }
})();
