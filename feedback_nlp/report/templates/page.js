(function () {
  "use strict";
  var picks = Array.prototype.slice.call(document.querySelectorAll("input.pick"));
  function follow(pick) {
    var body = document.getElementById("report-" + pick.value);
    document.documentElement.lang = body.lang;
    document.documentElement.dir = body.dir;
    document.title = body.dataset.title;
  }
  picks.forEach(function (pick) {
    pick.addEventListener("change", function () { follow(pick); });
  });
  function goThere() {
    var lang = location.hash.slice(1).split("-")[0];
    var pick = lang && document.getElementById("pick-" + lang);
    if (pick) {
      pick.checked = true;
      follow(pick);
      var target = document.getElementById(location.hash.slice(1));
      if (target) { target.scrollIntoView(); }
    }
  }
  window.addEventListener("hashchange", goThere);
  goThere();
})();
