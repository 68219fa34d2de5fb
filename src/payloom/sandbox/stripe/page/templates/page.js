(function () {
  "use strict";
  var number = document.getElementById("cardNumber");
  var expiry = document.getElementById("cardExpiry");
  var iban = document.getElementById("sepa_debit_iban");
  if (number) {
    number.addEventListener("input", function () {
      if (number.selectionStart !== number.value.length) return;
      var digits = number.value.replace(/\D/g, "").slice(0, 19);
      var groups = /^3[47]/.test(digits) ? /^(\d{0,4})(\d{0,6})(\d{0,5})/ : null;
      number.value = groups
        ? digits.match(groups).slice(1).filter(Boolean).join(" ")
        : digits.replace(/(\d{4})(?=\d)/g, "$1 ");
    });
  }
  if (iban) {
    iban.addEventListener("input", function () {
      if (iban.selectionStart !== iban.value.length) return;
      var letters = iban.value.replace(/[^0-9A-Za-z]/g, "").toUpperCase();
      iban.value = letters.replace(/(.{4})(?=.)/g, "$1 ");
    });
  }
  if (expiry) {
    expiry.addEventListener("input", function (event) {
      if (event.inputType && event.inputType.indexOf("delete") === 0) return;
      var digits = expiry.value.replace(/\D/g, "").slice(0, 4);
      if (digits.length === 1 && digits > "1") digits = "0" + digits;
      if (digits.length >= 2) expiry.value = digits.slice(0, 2) + " / " + digits.slice(2);
    });
  }
  if (document.querySelector("[data-waits]")) {
    // the phone may have approved meanwhile; not while somebody is about to press something here
    window.setInterval(function () {
      if (document.activeElement === document.body) window.location.reload();
    }, 5000);
  }
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) window.location.reload();
  });
})();
