// The queue by keyboard: one comment has the focus, a key gives its verdict, and the next one comes.
(function () {
  "use strict";

  var items = Array.prototype.slice.call(document.querySelectorAll("#queue .waiting"));
  var count = document.querySelector("#left .count");
  var at = 0;

  function format(number) {
    return new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-u-nu-arab" : document.documentElement.lang).format(number);
  }

  function show(place) {
    if (!items.length) { return; }
    at = Math.max(0, Math.min(place, items.length - 1));
    items.forEach(function (item, number) { item.classList.toggle("now", number === at); });
    items[at].focus({ preventScroll: true });
    items[at].scrollIntoView({ block: "center" });
  }

  function waiting() {
    return items.filter(function (item) { return !item.classList.contains("checked"); });
  }

  function next() {
    for (var step = 1; step <= items.length; step += 1) {
      var place = (at + step) % items.length;
      if (!items[place].classList.contains("checked")) { show(place); return; }
    }
    document.getElementById("finished").hidden = false;
    document.getElementById("finished").scrollIntoView({ block: "center" });
  }

  function send(selector) {
    var form = items[at] && items[at].querySelector(selector);
    var button = form && form.querySelector("button");
    if (form && button && !button.disabled) { form.requestSubmit(button); }
  }

  var keys = {
    Enter: function () { send("form.confirm"); },
    j: next,
    ArrowDown: next,
    k: function () { show(at - 1); },
    ArrowUp: function () { show(at - 1); },
    1: function () { send("form.tone-negative"); },
    2: function () { send("form.tone-neutral"); },
    3: function () { send("form.tone-positive"); },
    4: function () { send("form.tone-mixed"); },
    x: function () { send("form.wrong"); },
    e: function () { var edit = items[at] && items[at].querySelector(".edit"); if (edit) { edit.click(); } },
    u: function () { var undo = document.getElementById("undo"); if (undo) { undo.click(); } }
  };
  // The same keys on Arabic and Persian keyboards, where they give other letters.
  var places = { KeyJ: "j", KeyK: "k", KeyX: "x", KeyE: "e", KeyU: "u", Digit1: "1", Digit2: "2", Digit3: "3", Digit4: "4" };

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey) { return; }
    if (event.target.closest("input, select, textarea, summary, a")) { return; }
    if (event.key === "Enter" && event.target.closest("button")) { return; }
    var act = keys[places[event.code] || event.key];
    if (act) { event.preventDefault(); act(); }
  });

  // A verdict that was stored takes its comment off the list; an undone one brings it back.
  document.addEventListener("decided", function (event) {
    var item = event.target.closest ? event.target.closest(".waiting") : null;
    if (!item) { return; }
    item.classList.add("checked");
    if (count) { count.textContent = format(waiting().length); }
    if (items[at] === item) { next(); }
  });
  document.addEventListener("focusin", function (event) {
    var item = event.target.closest("#queue .waiting");
    if (item && items.indexOf(item) !== at) {
      at = items.indexOf(item);
      items.forEach(function (each) { each.classList.toggle("now", each === item); });
    }
  });

  show(0);
})();
