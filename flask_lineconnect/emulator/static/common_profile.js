// The stand-in for LINE's plugin LiffCommonProfilePlugin: get, getDummy and fill.
(() => {
  const origin = new URL(document.currentScript.src).origin;
  const DUMMY = {
    "family-name": "山田", "given-name": "太郎", "family-name-kana": "ヤマダ", "given-name-kana": "タロウ",
    "sex-enum": 1, "bday-year": 1990, "bday-month": 4, "bday-day": 1, tel: "09012345678",
    email: "taro@mail.example", "postal-code": "1000001", "address-level1": "東京都",
    "address-level2": "千代田区", "address-level3": "千代田1-1", "address-level4": "",
  };

  function chosen(fields, scopes) {
    return Object.fromEntries(scopes.map((scope) => [scope, fields[scope] ?? null]));
  }

  window.LiffCommonProfilePlugin = class {
    name = "commonProfile";

    install({ liff }) {
      return {
        async get(scopes) {
          if (!liff.isInClient()) return { data: {}, error: { message: "only in the LIFF browser" } };
          const answer = await fetch(`${origin}/liff/v2/commonProfile`, {
            headers: { Authorization: `Bearer ${liff.getAccessToken()}` },
          });
          const body = await answer.json();
          return answer.ok
            ? { data: chosen(body, scopes), error: null }
            : { data: {}, error: { message: body.message } };
        },
        async getDummy(scopes) {
          return { data: chosen(DUMMY, scopes), error: null };
        },
        fill(data) {
          for (const input of document.querySelectorAll("[data-liff-autocomplete]")) {
            const value = data[input.dataset.liffAutocomplete];
            if (value !== undefined && value !== null) input.value = value;
          }
        },
      };
    }
  };
})();
